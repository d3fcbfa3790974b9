/** Readers under a disturbance that comes again and again, at random moments. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { retry } from '../kit/requirements.ts'
import type { Site } from '../kit/site.ts'
import { Load, type Seen } from './load.ts'

interface Disturbance {
  times: number
  /** From one to the next it takes up to this long. */
  everyMs: number
  /** False when there was nothing to disturb at the moment. */
  act: () => boolean | Promise<boolean>
  /** Whether a process may stand by in the end. */
  mayStandBy?: boolean
}

export async function disturb(t: Test, here: Site, how: Disturbance): Promise<Seen> {
  const { times, everyMs, act, mayStandBy = false } = how
  const load = await Load.start(t, here)
  await sleep(300)
  for (let done = 0; done < times; ) {
    await sleep(Math.random() * everyMs)
    if (await act()) done++
  }
  const seen = await load.stop()
  t.comment(`${times} times, ${seen.reads} reads, the longest took ${seen.longestMs} ms`)
  await retry(() => {
    const { length } = here.servers()
    if (length === 2 || (mayStandBy && length === 3)) return
    throw new Error('Cannot find one keeper and its server')
  })
  return seen
}

/** That nobody has noticed anything. */
export function isUnnoticed(t: Test, { failed, wrong }: Seen): void {
  t.strictSame(failed, [], 'no read failed')
  t.strictSame(wrong, [], 'no text was short, mixed, or behind')
}

/** To one of our processes; false when there is none at the moment. */
export function signal(here: Site, command: 'serve' | 'server', name: NodeJS.Signals): boolean {
  const pid = here.find(command)
  if (pid === undefined) return false
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}
