/**
 * What a service manager's process does while a keeper that a hook or a server has started holds the mount. When that
 * keeper has ended for good, the process takes its place; or systemd starts another one that does, with what it keeps of
 * the mount by then.
 */

import { closeSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '../../host/host.ts'
import { tryLock } from '../../sys/lock.ts'
import type { Log } from '../../sys/log.ts'
import { socketOf } from '../../worker/messages.ts'
import type { Settings } from '../default-settings.ts'
import { findAnswering, findKeeper, type Status } from '../status.ts'
import { type KeeperSignal, Signals } from './signals.ts'
import type { Systemd } from './systemd.ts'

/** A server whose keeper has died starts another one within some 100 ms, on a machine under load within this time. */
const NEXT_MS = 5000
const NEXT_LOOK_MS = 50

/** Whether a keeper is there is looked at so often where it does not take our connection. */
const LOOK_MS = 1000
/** And so soon where it takes none for long. */
const SOON_MS = 20

/**
 * Returns true when this process is to serve, and false when it is to end: after a signal to stop, which the keeper was
 * given, too, or because systemd starts another one.
 */
export async function standBy(
  host: Host,
  settings: Settings,
  log: Log,
  systemd: Systemd,
): Promise<boolean> {
  const { runDirectory } = settings
  let keeper = await nextKeeper(host, runDirectory)
  if (keeper === undefined) return true
  log.info(`process ${keeper.pid} serves; stands by`)
  const signals = new Signals()
  // It has said where it is when it could answer. This process asks it for nothing: see Connection.ask.
  systemd.sayReady()
  while (keeper !== undefined) {
    const happened = await signals.or(untilClosed(runDirectory))
    keeper = await nextKeeper(host, runDirectory)
    if (happened === 'closed') continue
    pass(happened, keeper?.pid, log)
    if (happened !== 'SIGHUP') return untilGone(host, runDirectory)
  }
  signals.release()
  return !systemd.isThere
}

/** Waits where there is none while one may be about to start. Returns `undefined` when none is any more. */
async function nextKeeper(host: Host, runDirectory: string): Promise<Status | undefined> {
  const deadline = performance.now() + NEXT_MS
  for (;;) {
    const keeper = findKeeper(host, runDirectory)
    if (keeper !== undefined) return keeper
    const isExpected = findAnswering(host, runDirectory) !== undefined || isKept(runDirectory)
    if (!isExpected || performance.now() >= deadline) return undefined
    await sleep(NEXT_LOOK_MS)
  }
}

/** Whether a keeper is there that may not serve yet. */
function isKept(runDirectory: string): boolean {
  try {
    const free = tryLock(`${runDirectory}/serve.lock`, 0)
    if (free !== undefined) closeSync(free)
    return free === undefined
  } catch {
    // There is no run directory yet.
    return false
  }
}

/** Resolves when the keeper may have ended: it closes all connections to its socket then. */
function untilClosed(runDirectory: string): Promise<'closed'> {
  return new Promise(resolve => {
    const socket = connect(socketOf(runDirectory))
    let isConnected = false
    socket.on('connect', () => {
      isConnected = true
    })
    socket.on('error', () => {})
    socket.on('close', () => setTimeout(() => resolve('closed'), isConnected ? SOON_MS : LOOK_MS))
  })
}

function pass(signal: KeeperSignal, pid: number | undefined, log: Log): void {
  log.info(`passes on ${signal}`)
  if (pid === undefined) return
  try {
    process.kill(pid, signal)
  } catch {
    // The keeper has ended.
  }
}

async function untilGone(host: Host, runDirectory: string): Promise<false> {
  while (findKeeper(host, runDirectory) !== undefined) await sleep(LOOK_MS / 10)
  return false
}
