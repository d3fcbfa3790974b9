/** Runs the keeper of a new mount, or of a mount that another process has kept until now. */

import { closeSync } from 'node:fs'
import { readStartTicks } from '../../container/identity.ts'
import type { Host } from '../../host/host.ts'
import { tryLock } from '../../sys/lock.ts'
import type { Log } from '../../sys/log.ts'
import { readDefaults } from '../config.ts'
import { INSTALLED } from '../executable.ts'
import { type KeeperOrders, READY, say } from '../handover.ts'
import { makeRunDirectory, type Settings } from '../settings.ts'
import { removeStatus, writeStatus } from '../status.ts'
import { Keeper } from './keeper.ts'
import { Predecessor } from './predecessor.ts'
import { adoptRequests } from './requests.ts'
import { SharedMount } from './shared-mount.ts'
import { Signals } from './signals.ts'

/**
 * The lock is waited for this long: a service that was told to stop takes its files out of all containers before it
 * gives the lock back.
 */
const LOCK_TIMEOUT_MS = 5000

interface KeeperSetup {
  host: Host
  settings: Settings
  log: Log
  version: string
  orders: KeeperOrders
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
    removeStatus(runDirectory)
    return status
  } finally {
    closeSync(held)
  }
}

async function makeKeeper(setup: KeeperSetup, signals: Signals): Promise<Keeper> {
  const { host, settings, log, orders } = setup
  const { adopted, readyFd } = orders
  const mount = adopted
    ? new SharedMount(host, settings.mountPoint, {
        fuse: adopted.fuseFd,
        requests: adoptRequests(adopted.requestsFd, log),
      })
    : await SharedMount.make(host, settings)
  return new Keeper(host, log, {
    settings,
    options: adopted?.options ?? readDefaults(settings),
    mount,
    signals,
    adopted: adopted !== undefined,
    predecessor: adopted && findPredecessor(host, adopted.serverPid, readyFd),
    announce: () => announce(setup),
  })
}

/**
 * READY is said only to a process that has started the service: a predecessor, at the other end of `readyFd`, has been
 * told already.
 */
function announce({ host, settings, log, version, orders: { adopted, readyFd } }: KeeperSetup) {
  log.info(`serves ${settings.mountPoint}`)
  const { pid } = process
  const startTicks = readStartTicks(host, pid) ?? 0
  writeStatus(settings.runDirectory, {
    pid,
    startTicks,
    version,
    executable: INSTALLED,
    sinceMs: Date.now(),
  })
  if (adopted !== undefined || readyFd === undefined) return
  say(readyFd, READY)
  closeSync(readyFd)
}

/** Returns `undefined` when the predecessor has ended by now. */
function findPredecessor(
  host: Host,
  pid: number,
  readyFd: number | undefined,
): Predecessor | undefined {
  if (readyFd === undefined) return undefined
  try {
    return new Predecessor(host, pid, readyFd)
  } catch {
    closeSync(readyFd)
    return undefined
  }
}
