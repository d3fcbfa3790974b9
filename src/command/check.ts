/**
 * `procveil check-lxcfs`: whether the file system answers. Where its processes were killed it starts the service again,
 * which heals the containers.
 */

import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Host } from '../host/host.ts'
import { findServed } from '../mount/served.ts'
import type { Settings } from '../server/settings.ts'
import { startAgain } from '../server/start.ts'
import { findKeeper } from '../server/status.ts'
import { systemClock } from '../sys/clock.ts'

const LOOK_MS = 50

/** An answer takes much less, unless the machine is busy. */
const LEAST_ASK_MS = 1000

/** A service manager, or one of our two processes, may be about to start what is missing. */
const LEFT_ALONE_MS = 2000

/** Returns the exit status: 0 as soon as it answers, 1 after `timeoutSeconds`. */
export async function check(settings: Settings, timeoutSeconds: number): Promise<number> {
  const { mountPoint, runDirectory } = settings
  const host = new Host('/', systemClock)
  const start = performance.now()
  let state: State = 'nothing is mounted there'
  for (let leftMs = timeoutSeconds * 1000; leftMs >= 0; ) {
    state = findServed(host, mountPoint)
      ? await ask(mountPoint, Math.max(leftMs, LEAST_ASK_MS))
      : 'nothing is mounted there'
    if (state === 'it answers') {
      process.stdout.write(`procveil serves ${mountPoint}\n`)
      return 0
    }
    const waitedMs = performance.now() - start
    const isKilled = state === 'its server is gone' && findKeeper(host, runDirectory) === undefined
    if (isKilled && waitedMs > LEFT_ALONE_MS) startAgain(host, settings)
    else await sleep(LOOK_MS)
    leftMs = timeoutSeconds * 1000 - waitedMs
  }
  process.stderr.write(
    `procveil: Cannot find the file system at ${mountPoint}: ${state}; start procveil serve\n`,
  )
  return 1
}

type State =
  | 'it answers'
  | 'its server is gone'
  | 'its server does not answer'
  | 'nothing is mounted there'

/** A server that hangs must not hang us. */
function ask(mountPoint: string, timeoutMs: number): Promise<State> {
  return Promise.race([
    statfs(mountPoint).then(
      () => 'it answers' as const,
      () => 'its server is gone' as const,
    ),
    sleep<State>(timeoutMs, 'its server does not answer'),
  ])
}
