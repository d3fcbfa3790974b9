/** Becomes the keeper of a mount: of a new one, or of one that another process has kept until now. */

import { closeSync, constants, mkdirSync, openSync, writeSync } from 'node:fs'
import { readStartTicks } from '../../container/identity.ts'
import type { Host } from '../../host/host.ts'
import { mountFuse, refuseForeign, unmountAll } from '../../mount/served.ts'
import type { Options } from '../../proc/options.ts'
import { tryLock } from '../../sys/lock.ts'
import type { Log } from '../../sys/log.ts'
import { readDefaults } from '../config.ts'
import { makeRunDirectory, type Settings } from '../settings.ts'
import { removeStatus, writeStatus } from '../status.ts'
import { Keeper } from './keeper.ts'
import { Predecessor } from './predecessor.ts'
import { Signals } from './signals.ts'
import { upgrade } from './upgrade.ts'

export interface KeepOptions {
  version: string
  /** Written to when the mount answers. */
  readyFd?: number | undefined
  /** Takes over a mount. */
  adopted?: Adopted | undefined
  /** Serves as on a kernel before Linux 6.9. */
  withoutResend: boolean
}

export interface Adopted {
  /** /dev/fuse. */
  fuse: number
  /** The server that answers until ours does; it listens at the other end of `readyFd`. */
  server: number
  /** Of its containers. */
  options: Options
}

/** A process that was told to stop takes its files out of all containers first. */
const LOCK_TIMEOUT_MS = 5000

/**
 * Serves until SIGTERM or SIGINT. Returns the exit status: 1 when no server can be kept alive. Throws when the mount
 * cannot be made.
 */
export async function keep(
  host: Host,
  settings: Settings,
  log: Log,
  { version, readyFd, adopted, withoutResend }: KeepOptions,
): Promise<number> {
  const { mountPoint, runDirectory } = settings
  const options = adopted?.options ?? readDefaults(settings)
  makeRunDirectory(settings)
  const signals = new Signals()
  const held = tryLock(`${runDirectory}/serve.lock`, LOCK_TIMEOUT_MS)
  if (held === undefined) {
    throw new Error(`Cannot serve ${mountPoint}: another procveil serves from ${runDirectory}`)
  }
  const args = [
    '--options',
    JSON.stringify(options),
    ...(withoutResend ? ['--without-resend'] : []),
  ]
  try {
    const fuse = adopted?.fuse ?? makeMount(host, mountPoint)
    const keeper = new Keeper(host, log, {
      settings,
      fuse,
      args,
      signals,
      adopted: adopted !== undefined,
      predecessor: adopted && findPredecessor(adopted.server, readyFd),
      announce: () => {
        log.info(`serves ${mountPoint}`)
        const { pid, execPath: executable } = process
        const startTicks = readStartTicks(host, pid) ?? 0
        writeStatus(runDirectory, { pid, startTicks, version, executable, sinceMs: Date.now() })
        if (adopted === undefined && readyFd !== undefined) tell(readyFd)
      },
      upgrade: server => upgrade(settings, log, { fuse, server, options, withoutResend }),
    })
    const status = await keeper.run()
    removeStatus(runDirectory)
    return status
  } finally {
    closeSync(held)
  }
}

function makeMount(host: Host, mountPoint: string): number {
  refuseForeign(host, mountPoint)
  unmountAll(host, mountPoint)
  // Not before: where a dead mount lies there is no directory, for mkdir(2).
  mkdirSync(mountPoint, { recursive: true })
  const fuse = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK)
  mountFuse(fuse, mountPoint)
  return fuse
}

/** `undefined` when it has ended by now. */
function findPredecessor(pid: number, control: number | undefined): Predecessor | undefined {
  if (control === undefined) return undefined
  try {
    return new Predecessor(pid, control)
  } catch {
    closeSync(control)
    return undefined
  }
}

function tell(readyFd: number): void {
  try {
    writeSync(readyFd, 'r')
  } catch {
    // Whoever wanted to know has gone.
  } finally {
    closeSync(readyFd)
  }
}
