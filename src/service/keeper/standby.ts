/**
 * What a service manager's process does while a keeper that a hook or a server has started holds the mount. The
 * process takes that keeper's place when the keeper has ended for good.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../settings.ts'
import { findKeeper } from '../status.ts'
import { type KeeperSignal, Signals } from './signals.ts'

const LOOK_MS = 1000

/**
 * A keeper has ended for good when so many looks in a row find none: a server whose keeper has died needs a moment to
 * start another one.
 */
const GONE_LOOKS = 3

/**
 * Returns true when this process is to serve, and false after a signal to stop: the keeper was given that signal too,
 * and is gone by then.
 */
export async function standBy(host: Host, settings: Settings, log: Log): Promise<boolean> {
  const { runDirectory } = settings
  const first = findKeeper(host, runDirectory)
  if (first === undefined) return true
  log.info(`process ${first.pid} serves; stands by`)
  const signals = new Signals()
  for (let gone = 0; gone < GONE_LOOKS; ) {
    const keeper = findKeeper(host, runDirectory)
    gone = keeper === undefined ? gone + 1 : 0
    const signal = await signals.or(sleep<typeof LOOKED>(LOOK_MS, LOOKED))
    if (signal === LOOKED) continue
    pass(signal, keeper?.pid, log)
    if (signal !== 'SIGHUP') return untilGone(host, runDirectory)
  }
  signals.release()
  return true
}

const LOOKED = 'looked'

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
