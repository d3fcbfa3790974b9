/**
 * Holds the shared mount: opens /dev/fuse, mounts it, starts the server process on that descriptor, and takes the
 * mount away when either of them is to end.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, writeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import type { Host } from '../host/host.ts'
import { findServed, mountFuse, refuseForeign, unmountAll } from '../mount/served.ts'
import type { Options } from '../proc/options.ts'
import { tryLock } from '../sys/lock.ts'
import type { Log } from '../sys/log.ts'
import { unmount } from '../sys/mount.ts'
import { readDefaults } from './config.ts'
import { commandLine, makeRunDirectory, type Settings } from './settings.ts'

/** A server that was told to stop may not have done so yet. */
const LOCK_TIMEOUT_MS = 1000

/** Where the server process finds /dev/fuse. */
export const FUSE_FD = 3

/**
 * Serves until SIGTERM or SIGINT, or until the server process ends. `readyFd` is written to when the mount answers.
 * Returns the exit status. Throws when the mount cannot be made.
 */
export async function keep(
  host: Host,
  settings: Settings,
  log: Log,
  readyFd: number | undefined,
): Promise<number> {
  const { mountPoint, runDirectory } = settings
  const options = readDefaults(settings)
  makeRunDirectory(settings)
  const stopped = untilStopped()
  const held = tryLock(`${runDirectory}/serve.lock`, LOCK_TIMEOUT_MS)
  if (held === undefined) {
    throw new Error(`Cannot serve ${mountPoint}: another procveil serves from ${runDirectory}`)
  }
  mkdirSync(mountPoint, { recursive: true })
  refuseForeign(host, mountPoint)
  unmountAll(host, mountPoint)
  const fuse = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK)
  mountFuse(fuse, mountPoint)
  const own = findServed(host, mountPoint)?.id
  try {
    const server = startServer(settings, options, fuse)
    closeSync(fuse)
    const ended = untilEnded(server)
    announce(mountPoint, log, readyFd)
    const reason = await Promise.race([ended, stopped])
    log.info(`server ends: ${reason}`)
    return reason.startsWith('SIG') ? 0 : 1
  } finally {
    // The server process ends by itself when the last mount of its connection is gone.
    if (own !== undefined && findServed(host, mountPoint)?.id === own) unmount(mountPoint)
    closeSync(held)
  }
}

function startServer(settings: Settings, options: Options, fuse: number): ChildProcess {
  const args = commandLine(settings, 'server', '--options', JSON.stringify(options))
  return spawn(process.execPath, args, {
    cwd: '/',
    env: {},
    stdio: ['ignore', 'inherit', 'inherit', fuse],
  })
}

function untilEnded(server: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    server.on('error', error => resolve(`its process cannot be started: ${error.message}`))
    server.on('exit', (code, signal) =>
      resolve(`its process ended with ${signal ?? `status ${code}`}`),
    )
  })
}

function untilStopped(): Promise<string> {
  return new Promise(resolve => {
    process.on('SIGTERM', () => resolve('SIGTERM'))
    process.on('SIGINT', () => resolve('SIGINT'))
  })
}

/** The kernel lets statfs wait until the server has answered INIT. */
async function announce(mountPoint: string, log: Log, readyFd: number | undefined): Promise<void> {
  try {
    await statfs(mountPoint)
    log.info(`serves ${mountPoint}`)
    if (readyFd !== undefined) writeSync(readyFd, 'r')
  } catch (cause) {
    log.error(new Error(`Cannot reach the server at ${mountPoint}`, { cause }))
  } finally {
    if (readyFd !== undefined) closeSync(readyFd)
  }
}
