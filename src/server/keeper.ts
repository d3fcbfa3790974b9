/**
 * Holds the shared mount: the connection to the kernel lives as long as this process or its server does. A server
 * that ends or hangs is replaced at once; when this process ends, the server starts another one.
 */

import { closeSync, constants, mkdirSync, openSync, writeSync } from 'node:fs'
import type { Host } from '../host/host.ts'
import { findServed, mountFuse, refuseForeign, unmountAll } from '../mount/served.ts'
import type { Options } from '../proc/options.ts'
import { tryLock } from '../sys/lock.ts'
import type { Log } from '../sys/log.ts'
import { unmount } from '../sys/mount.ts'
import { type ServerProcess, startServer } from './child.ts'
import { readDefaults } from './config.ts'
import { FUSE_FD } from './descriptors.ts'
import { Failures } from './failures.ts'
import { makeRunDirectory, type Settings } from './settings.ts'
import { watch } from './watch.ts'

export interface KeepOptions {
  /** Written to when the mount answers. */
  readyFd?: number | undefined
  /** Takes over the mount whose /dev/fuse is at FUSE_FD, with these options for its containers. */
  adopted?: Options | undefined
  /** Serves as on a kernel before Linux 6.9. */
  withoutResend: boolean
}

/** A process that was told to stop, or killed, may not have ended yet. */
const LOCK_TIMEOUT_MS = 1000

/**
 * Serves until SIGTERM or SIGINT. Returns the exit status: 1 when no server can be kept alive. Throws when the mount
 * cannot be made.
 */
export async function keep(
  host: Host,
  settings: Settings,
  log: Log,
  { readyFd, adopted, withoutResend }: KeepOptions,
): Promise<number> {
  const { mountPoint, runDirectory } = settings
  const options = adopted ?? readDefaults(settings)
  makeRunDirectory(settings)
  const stopped = untilStopped()
  const held = tryLock(`${runDirectory}/serve.lock`, LOCK_TIMEOUT_MS)
  if (held === undefined) {
    throw new Error(`Cannot serve ${mountPoint}: another procveil serves from ${runDirectory}`)
  }
  const fuse = adopted === undefined ? makeMount(host, mountPoint) : FUSE_FD
  const own = findServed(host, mountPoint)?.id
  const args = [
    '--options',
    JSON.stringify(options),
    ...(withoutResend ? ['--without-resend'] : []),
  ]
  let server = startServer(settings, fuse, adopted === undefined ? args : [...args, '--resume'])
  const unwatch = watch(host, mountPoint, () => {
    log.warning('the server does not answer; it is replaced')
    server.kill()
  })
  const failures = new Failures()
  let announced = false
  try {
    for (;;) {
      const { ready, ended } = server
      const outcome = await Promise.race([ended, stopped, ready])
      if (outcome === undefined) {
        failures.clear()
        if (!announced) announce(mountPoint, log, readyFd)
        announced = true
      }
      const reason = outcome ?? (await Promise.race([ended, stopped]))
      if (reason.startsWith('SIG')) {
        log.info(`stops: ${reason}`)
        return 0
      }
      log.warning(`the server is replaced: ${reason}`)
      if (outcome !== undefined && failures.add(performance.now())) {
        log.error(new Error(`Cannot keep a server alive at ${mountPoint}: ${reason}`))
        return 1
      }
      server = startServer(settings, fuse, [...args, '--resume'])
    }
  } finally {
    unwatch()
    await stop(server)
    if (own !== undefined && findServed(host, mountPoint)?.id === own) unmount(mountPoint)
    closeSync(fuse)
    closeSync(held)
  }
}

function makeMount(host: Host, mountPoint: string): number {
  mkdirSync(mountPoint, { recursive: true })
  refuseForeign(host, mountPoint)
  unmountAll(host, mountPoint)
  const fuse = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK)
  mountFuse(fuse, mountPoint)
  return fuse
}

function announce(mountPoint: string, log: Log, readyFd: number | undefined): void {
  log.info(`serves ${mountPoint}`)
  if (readyFd === undefined) return
  try {
    writeSync(readyFd, 'r')
  } catch {
    // Whoever wanted to know has gone.
  } finally {
    closeSync(readyFd)
  }
}

/** It must not take our end for a death and start another keeper. */
async function stop(server: ServerProcess): Promise<void> {
  server.kill()
  await server.ended
}

function untilStopped(): Promise<string> {
  return new Promise(resolve => {
    process.on('SIGTERM', () => resolve('SIGTERM'))
    process.on('SIGINT', () => resolve('SIGINT'))
  })
}
