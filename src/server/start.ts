/** Makes sure that the shared mount is served, and starts the server when it is not. */

import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, readSync, statSync } from 'node:fs'
import type { Host } from '../host/host.ts'
import { findServed, openServed, unmountAll } from '../mount/served.ts'
import { waitReadable } from '../sys/device.ts'
import { errorCode } from '../sys/error.ts'
import { lock } from '../sys/lock.ts'
import { openPipe } from '../sys/pipe.ts'
import { commandLine, type Settings } from './settings.ts'

/** A server is there after some 50 ms; a machine that boots is slower. */
const START_TIMEOUT_MS = 10_000

/** Where a detached server's readiness pipe is. */
export const READY_FD = 3

/**
 * An O_PATH descriptor of `path`, relative to the mount. Of several processes that find no server, one starts it
 * and the others wait. Throws when there is none after all.
 */
export function openOrStart(host: Host, settings: Settings, path: string): number {
  const absolute = `${settings.mountPoint}/${path}`
  const served = openServed(absolute)
  if (served !== undefined) return served
  mkdirSync(settings.runDirectory, { recursive: true, mode: 0o700 })
  const held = lock(`${settings.runDirectory}/start.lock`, START_TIMEOUT_MS)
  try {
    const servedByNow = openServed(absolute)
    if (servedByNow !== undefined) return servedByNow
    refuseForeign(host, settings.mountPoint)
    unmountAll(host, settings.mountPoint)
    startServer(settings)
    const started = openServed(absolute)
    if (started !== undefined) return started
    throw new Error(`Cannot find ${absolute}: the server that was just started does not know it`)
  } finally {
    closeSync(held)
  }
}

/** Another program's mount is not ours to take away. */
function refuseForeign(host: Host, mountPoint: string): void {
  const mount = findServed(host, mountPoint)
  if (mount === undefined || !isAnswering(mountPoint)) return
  throw new Error(
    `Cannot serve ${mountPoint}: another lxcfs is mounted there, or a procveil with another --run-dir; stop it, or choose another --mountpoint`,
  )
}

function isAnswering(mountPoint: string): boolean {
  try {
    statSync(mountPoint)
    return true
  } catch (error) {
    return errorCode(error) !== 'ENOTCONN' && errorCode(error) !== 'ECONNABORTED'
  }
}

/**
 * Starts `procveil serve` in a session of its own, without the caller's stdin, stdout and stderr: a runtime waits
 * until nobody holds its hook's stdout any more. Returns when the mount is served.
 */
function startServer(settings: Settings): void {
  const { reader, writer } = openPipe()
  try {
    const args = commandLine(settings, 'serve', '--ready-fd', String(READY_FD))
    spawn(process.execPath, args, {
      cwd: '/',
      detached: true,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', 'ignore', 'ignore', writer],
    }).unref()
    closeSync(writer)
    const answered = waitReadable(reader, START_TIMEOUT_MS) > 0
    if (answered && readSync(reader, Buffer.alloc(1)) === 1) return
    const why = answered ? 'it ended at once' : `it was not ready after ${START_TIMEOUT_MS} ms`
    throw new Error(
      `Cannot start the server: ${why}; see ${settings.log ?? 'the output of procveil serve, or give --log'}`,
    )
  } finally {
    closeSync(reader)
  }
}
