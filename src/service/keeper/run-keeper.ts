/** Runs the keeper of a new mount, or of a mount that another process has kept until now. */

import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { readStartTicks } from '../../container/identity.ts'
import type { Host } from '../../host/host.ts'
import type { Options } from '../../proc/options.ts'
import { tryLock } from '../../sys/lock.ts'
import type { Log } from '../../sys/log.ts'
import { readDefaults, renderDefaults } from '../config.ts'
import type { Settings } from '../default-settings.ts'
import { INSTALLED } from '../executable.ts'
import { type KeeperOrders, READY, say } from '../handover.ts'
import type { Passed } from '../notify.ts'
import { makeRunDirectory } from '../settings.ts'
import {
  findAnswering,
  findLastOptions,
  removeStatus,
  type Status,
  writeStatus,
} from '../status.ts'
import { Keeper } from './keeper.ts'
import { takePassedMount } from './passed-mount.ts'
import { Predecessor } from './predecessor.ts'
import { adoptRequests } from './requests.ts'
import { SharedMount } from './shared-mount.ts'
import { Signals } from './signals.ts'
import type { Systemd } from './systemd.ts'

/**
 * The lock is waited for this long: a service that was told to stop takes its files out of all containers before it
 * gives the lock back.
 */
const LOCK_TIMEOUT_MS = 5000

const WRITE_AGAIN_MS = 2000

interface KeeperSetup {
  host: Host
  settings: Settings
  log: Log
  version: string
  orders: KeeperOrders
  systemd: Systemd
  /** What systemd has kept. */
  passed: readonly Passed[]
}

/**
 * Keeps the mount until SIGTERM or SIGINT. Returns the exit status: 1 when no server can be kept alive. Throws when
 * the mount cannot be made.
 */
export async function runKeeper(setup: KeeperSetup): Promise<number> {
  const { mountPoint, runDirectory } = setup.settings
  makeRunDirectory(setup.settings)
  const signals = new Signals()
  const held = tryLock(`${runDirectory}/serve.lock`, LOCK_TIMEOUT_MS)
  if (held === undefined) {
    throw new Error(`Cannot serve ${mountPoint}: another procveil serves from ${runDirectory}`)
  }
  try {
    const keeper = await makeKeeper(setup, signals)
    const status = await keeper.run()
    forgetStatus(runDirectory, setup.log)
    return status
  } finally {
    closeSync(held)
  }
}

/** Who is written down there and has ended is taken for none. */
function forgetStatus(runDirectory: string, log: Log): void {
  try {
    removeStatus(runDirectory)
  } catch (error) {
    log.error(error)
  }
}

async function makeKeeper(setup: KeeperSetup, signals: Signals): Promise<Keeper> {
  const { host, settings, log, orders, systemd } = setup
  const { adopted, readyFd } = orders
  const passed = takePassedMount(host, settings, setup.passed)
  systemd.dropNames(passed.useless)
  const fuse = adopted?.fuseFd ?? passed.descriptors?.fuse
  const options = adopted?.options ?? readOptions(setup, passed.descriptors !== undefined)
  const announceKept = (healed: Promise<void>) => announce(setup, options, healed)
  const kept = { settings, options, signals, systemd, announce: announceKept }
  if (fuse === undefined) {
    const mount = await SharedMount.make(host, settings)
    const mode = { adopted: false, toHeal: true, predecessor: undefined }
    return new Keeper(host, log, { ...kept, ...mode, mount })
  }
  if (adopted === undefined) log.info('goes on with the mount that systemd has kept')
  const given = adopted?.requestsFd ?? passed.descriptors?.requests
  const requests = adoptRequests(given, log)
  const mount = new SharedMount(host, settings.mountPoint, { fuse, requests })
  if (requests !== given) systemd.dropRequests(mount.minor)
  const serverPid = adopted?.serverPid ?? findAnswering(host, settings.runDirectory)
  return new Keeper(host, log, {
    ...kept,
    mount,
    adopted: true,
    // A keeper that was killed may have been about to heal them.
    toHeal: adopted === undefined,
    predecessor: serverPid === undefined ? undefined : findPredecessor(host, serverPid, readyFd),
  })
}

/**
 * A configuration that was damaged since is no reason to let readers wait who have seen the mount already: the last keeper's
 * options hold on. Throws where there are none.
 */
function readOptions({ settings, log }: KeeperSetup, isGoingOn: boolean): Options {
  try {
    return readDefaults(settings)
  } catch (error) {
    const last = isGoingOn ? findLastOptions(settings.runDirectory) : undefined
    if (last === undefined) throw error
    log.error(error)
    return last
  }
}

/**
 * READY is said only to a process that has started the service: a predecessor, at the other end of `readyFd`, has been
 * told already.
 */
function announce(setup: KeeperSetup, options: Options, healed: Promise<void>): void {
  const { host, settings, log, version, systemd } = setup
  const { adopted, readyFd } = setup.orders
  log.info(`serves ${settings.mountPoint}`)
  const { pid } = process
  const startTicks = readStartTicks(host, pid) ?? 0
  void keepTryingToWrite(settings.runDirectory, log, {
    pid,
    startTicks,
    version,
    executable: INSTALLED,
    sinceMs: Date.now(),
    options: renderDefaults(options),
  })
  healed
    .then(async () => {
      systemd.sayReady()
      await systemd.keepExecutable()
      await systemd.checkKept()
    })
    .catch(error => log.error(error))
  if (adopted !== undefined || readyFd === undefined) return
  say(readyFd, READY)
  closeSync(readyFd)
}

/**
 * Where the run directory is read-only, the service serves all the same, and is found by `stop` and `upgrade` when it can be
 * written again.
 */
async function keepTryingToWrite(runDirectory: string, log: Log, status: Status): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return writeStatus(runDirectory, status)
    } catch (cause) {
      if (tries === 0) log.error(new Error('Cannot write down who serves', { cause }))
    }
    await sleep(WRITE_AGAIN_MS, undefined, { ref: false })
  }
}

/** Returns `undefined` when the predecessor has ended by now. */
function findPredecessor(
  host: Host,
  pid: number,
  readyFd: number | undefined,
): Predecessor | undefined {
  try {
    return new Predecessor(host, pid, readyFd)
  } catch {
    if (readyFd !== undefined) closeSync(readyFd)
    return undefined
  }
}
