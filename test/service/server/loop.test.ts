/** What the loop does while a request waits for a worker. */

import t, { type Test } from 'tap'
import { BusyPoll } from '../../../src/service/server/busy-poll.ts'
import { IdleWork } from '../../../src/service/server/idle-work.ts'
import { Preparation, Turns } from '../../../src/service/server/loop.ts'

/** A session that holds a request, and whose steps take some time. */
function run(
  t: Test,
  { steps, stepMs, isBusy }: { steps: number; stepMs: number; isBusy: boolean },
) {
  let nowMs = 1000
  Object.defineProperty(performance, 'now', { configurable: true, value: () => nowMs })
  t.teardown(() => Reflect.deleteProperty(performance, 'now'))
  const seen = { retriedMs: [] as number[], waitedMs: [] as number[], sampled: 0 }
  let left = steps
  const session = {
    step: () => {
      nowMs += stepMs
      return left-- <= 0 ? ('gone' as const) : isBusy ? 1 : ('retry' as const)
    },
    readerAt: () => 1,
    isHolding: true,
    retry: () => void seen.retriedMs.push(nowMs),
  }
  const wait = (_: number, timeoutMs: number) => {
    seen.waitedMs.push(timeoutMs)
    nowMs += Math.max(timeoutMs, 0)
    return false
  }
  return {
    seen,
    with: (untilMs: number) => {
      const turns = new Turns(session, {
        device: { yield: () => {}, wait },
        keeperLink: { fd: -1, isToEnd: () => false },
        busyPoll: new BusyPoll(),
        idleWork: new IdleWork(0, () => undefined),
        preparation: new Preparation(),
        untilNextMs: () => {
          seen.sampled++
          return untilMs
        },
      })
      while (turns.next());
    },
  }
}

t.test('where requests never pause it is looked at again all the same', async t => {
  const { seen, with: runUntil } = run(t, { steps: 900, stepMs: 0.125, isBusy: true })
  runUntil(-1)
  const pauses = seen.retriedMs.slice(1).map((ms, i) => ms - (seen.retriedMs[i] ?? 0))
  t.equal(seen.retriedMs.length, 57)
  t.ok(
    pauses.every(ms => ms === 2),
    'and not with each of them',
  )
})

t.test('loads are sampled meanwhile', async t => {
  for (const [untilMs, waitsMs] of [
    [-1, 2],
    [0, 0],
    [1, 1],
    [50, 2],
  ] as const) {
    const { seen, with: runUntil } = run(t, { steps: 10, stepMs: 0, isBusy: false })
    runUntil(untilMs)
    t.equal(seen.sampled, 10)
    t.strictSame([...new Set(seen.waitedMs)], [waitsMs])
  }
})
