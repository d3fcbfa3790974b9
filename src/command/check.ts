/**
 * `procveil check-lxcfs`: tells whether the file system answers. Where the processes of the service were killed, it
 * starts the service again, which heals the containers; and where somebody has unmounted it, it has the service put it back.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { Host } from '../host/host.ts'
import { type Answer, ask } from '../mount/ask.ts'
import { findServed } from '../mount/served.ts'
import type { Settings } from '../service/default-settings.ts'
import { startAgain, wakeUp } from '../service/start.ts'
import { findKeeper } from '../service/status.ts'
import { systemClock } from '../sys/clock.ts'
import { complain } from '../sys/log.ts'

const LOOK_MS = 50

/** An answer is waited for at least this long. It takes much less, unless the machine is busy. */
const LEAST_ASK_MS = 1000

/**
 * A service that is gone is left alone for this long: a service manager, or one of our two processes, may be about to
 * start what is missing.
 */
const LEFT_ALONE_MS = 2000

/** Returns the exit status: 0 as soon as the file system answers, 1 after `timeoutSeconds`. */
export async function check(settings: Settings, timeoutSeconds: number): Promise<number> {
  const { mountPoint, runDirectory } = settings
  const host = new Host('/', systemClock)
  const start = performance.now()
  let state: Exclude<Answer, 'answers'> | 'missing' = 'missing'
  for (let leftMs = timeoutSeconds * 1000; leftMs >= 0; ) {
    const answer = findServed(host, mountPoint)
      ? await ask(mountPoint, Math.max(leftMs, LEAST_ASK_MS))
      : 'missing'
    if (answer === 'answers') {
      process.stdout.write(`procveil serves ${mountPoint}\n`)
      return 0
    }
    state = answer
    const waitedMs = performance.now() - start
    const keeper = findKeeper(host, runDirectory)
    if (keeper !== undefined) wakeUp(keeper.pid)
    // Where a keeper is there, a dead mount of others may lie on its own.
    if (state === 'gone' && waitedMs > LEFT_ALONE_MS) startAgain(host, settings)
    else await sleep(LOOK_MS)
    leftMs = timeoutSeconds * 1000 - waitedMs
  }
  complain(`Cannot find the file system at ${mountPoint}: ${STATES[state]}; start procveil serve`)
  return 1
}

const STATES = {
  gone: 'its server is gone',
  silent: 'its server does not answer',
  missing: 'nothing is mounted there',
} as const
