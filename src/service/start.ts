/** Makes sure that the shared mount is served, and starts the server when it is not. */

import { closeSync, readSync } from 'node:fs'
import type { Host } from '../host/host.ts'
import { findServed, isAnswering, openServed, refuseForeign, unmountAll } from '../mount/served.ts'
import { lock } from '../sys/lock.ts'
import { waitReadable } from '../sys/poll.ts'
import { sleep } from '../sys/sleep.ts'
import type { Settings } from './default-settings.ts'
import { launchKeeper } from './launch.ts'
import { makeRunDirectory } from './settings.ts'
import { findKeeper } from './status.ts'
import { startUnit } from './systemd.ts'

/**
 * A process waits at most this long for a server. A server is ready after some 50 ms, and later on a machine that
 * boots. A hook may wait this long for another hook's server; what is left of its own 12 s is for one that it starts.
 */
const START_TIMEOUT_MS = 8000

/** A server that is started after systemd was waited for still gets so long. */
const LEAST_MS = 3000

/** A keeper looks for its mount once in 0.4 s, and puts it back or makes another one, with a server, at once. */
const PUT_BACK_MS = 3000
const LOOK_MS = 20

/** What a server that was just started does not know is looked for again during this time. */
const OPEN_MS = 2000

/** Whether another keeper serves by now is looked at once in this time. Most servers are ready before. */
const OTHER_MS = 200

/**
 * Returns an O_PATH descriptor of `path`, which is relative to the mount. Of several processes that find no server,
 * one starts it and the others wait. Throws when there is no server after all.
 */
export function openOrStart(host: Host, settings: Settings, path: string): number {
  const absolute = `${settings.mountPoint}/${path}`
  const served = openServed(absolute)
  if (served !== undefined) return served
  return alone(settings, () => {
    const servedByNow = openServed(absolute)
    if (servedByNow !== undefined) return servedByNow
    refuseOthers(host, settings, absolute)
    start(host, settings)
    const started = openSoon(absolute)
    if (started !== undefined) return started
    throw new Error(`Cannot find ${absolute}: the server that was just started does not know it`)
  })
}

/** Throws where somebody answers at the mount point, who does not know what he should, or is another. */
function refuseOthers(host: Host, settings: Settings, path: string): void {
  const keeper = findKeeper(host, settings.runDirectory)
  if (keeper === undefined) refuseForeign(host, settings.mountPoint)
  if (keeper === undefined || !isServed(host, settings)) return
  throw new Error(
    `Cannot find ${path}: the server of process ${keeper.pid} does not know it; see its log, and procveil doctor`,
  )
}

/** A server that was just started may be replaced, or its mount made anew, on a machine that is very slow. */
function openSoon(path: string): number | undefined {
  const deadline = performance.now() + OPEN_MS
  for (;;) {
    const opened = openServed(path)
    if (opened !== undefined || performance.now() >= deadline) return opened
    sleep(LOOK_MS)
  }
}

/** Starts a service in the place of one whose processes are gone, unless another process has done so by now. */
export function startAgain(host: Host, settings: Settings): void {
  alone(settings, () => {
    if (!isAnswering(settings.mountPoint)) start(host, settings)
  })
}

function alone<T>(settings: Settings, action: () => T): T {
  makeRunDirectory(settings)
  const held = lock(`${settings.runDirectory}/start.lock`, START_TIMEOUT_MS)
  try {
    return action()
  } finally {
    closeSync(held)
  }
}

function start(host: Host, settings: Settings): void {
  if (isPutBack(host, settings)) return
  const startMs = performance.now()
  unmountAll(host, settings.mountPoint)
  if (startUnit(settings, () => isServed(host, settings))) return
  startServer(host, settings, Math.max(START_TIMEOUT_MS - (performance.now() - startMs), LEAST_MS))
}

/**
 * Whether the mount is there again, of which a keeper that runs was robbed: the keeper looks for it when it is told to. A
 * second keeper could not take its place.
 */
function isPutBack(host: Host, settings: Settings): boolean {
  const keeper = findKeeper(host, settings.runDirectory)
  if (keeper === undefined) return false
  const deadline = performance.now() + PUT_BACK_MS
  do {
    // Version 0.2.0 ignores this signal unless it waits for a request.
    if (!wakeUp(keeper.pid)) return false
    sleep(LOOK_MS)
    if (isServed(host, settings)) return true
  } while (performance.now() < deadline)
  return false
}

/** Has a keeper that sleeps look whether its mount is in its place. Returns false when there is none. */
export function wakeUp(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGURG')
  } catch {
    return false
  }
}

const isServed = (host: Host, { mountPoint }: Settings) =>
  findServed(host, mountPoint) !== undefined && isAnswering(mountPoint)

/**
 * Returns when the mount is served: by the keeper that is started here, or by one that was quicker, for which ours would
 * wait in vain.
 */
function startServer(host: Host, settings: Settings, timeoutMs: number): void {
  const { reader } = launchKeeper(settings, {}, 'ignore')
  const deadline = performance.now() + timeoutMs
  try {
    for (;;) {
      const leftMs = Math.max(deadline - performance.now(), 0)
      // poll(2) returns early when a signal has interrupted it.
      const ready = waitReadable(reader, Math.ceil(Math.min(leftMs, OTHER_MS)))
      if (ready > 0 && readSync(reader, Buffer.alloc(1)) === 1) return
      if (isServed(host, settings)) return
      if (ready <= 0 && leftMs > 0) continue
      const why =
        ready > 0 ? 'it ended at once' : `it was not ready after ${Math.round(timeoutMs)} ms`
      throw new Error(
        `Cannot start the server: ${why}; see ${settings.log ?? 'the output of procveil serve, or give --log'}`,
      )
    }
  } finally {
    closeSync(reader)
  }
}
