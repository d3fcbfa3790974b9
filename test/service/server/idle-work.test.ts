import t, { type Test } from 'tap'
import { IdleWork } from '../../../src/service/server/idle-work.ts'

/** Work of so many steps that take so long each, on a clock of its own. */
function make(t: Test, { steps, stepMs }: { steps: number; stepMs: number }) {
  const clock = { nowMs: 1000 }
  Object.defineProperty(performance, 'now', { configurable: true, value: () => clock.nowMs })
  t.teardown(() => Reflect.deleteProperty(performance, 'now'))
  const seen = { steps: 0, ended: 0 }
  function* work() {
    try {
      for (; seen.steps < steps; seen.steps++) {
        clock.nowMs += stepMs
        yield
      }
    } finally {
      seen.ended++
    }
  }
  const idle = new IdleWork(1000, work)
  /** Waits as long as it is told to, so many times at most. */
  const rest = (times: number) => {
    let timeoutMs = 0
    for (let time = 0; time < times && timeoutMs >= 0; time++) {
      timeoutMs = idle.limit(-1, clock.nowMs)
      clock.nowMs += Math.max(timeoutMs, 0)
    }
    return timeoutMs
  }
  return { clock, seen, idle, rest }
}

t.test('it is done in slices of a quiet server, and then nothing is left to do', async t => {
  const { clock, seen, idle, rest } = make(t, { steps: 20, stepMs: 0.25 })
  t.equal(idle.limit(-1, 1000), 5, 'not at once')
  t.equal(idle.limit(2, 1000), 2, 'others want to be woken earlier')
  clock.nowMs = 1005
  t.equal(idle.limit(-1, 1005), 2, 'a rest as long as the slice')
  t.equal(clock.nowMs, 1006)
  t.equal(seen.ended, 0)
  t.equal(rest(100), -1)
  t.strictSame(seen, { steps: 20, ended: 1 })
  t.ok(clock.nowMs >= 1005 + 2 * 5, 'half of the time is for requests')
})

t.test('none while requests come', async t => {
  const { clock, seen, idle } = make(t, { steps: 20, stepMs: 0.25 })
  for (; clock.nowMs < 1500; clock.nowMs += 4) {
    idle.served(clock.nowMs)
    idle.limit(-1, clock.nowMs)
  }
  t.equal(seen.steps, 0)
})

t.test('where others need the CPU more there is a long rest after each slice', async t => {
  const { idle, clock } = make(t, { steps: 1000, stepMs: 50 })
  clock.nowMs = 1005
  t.equal(idle.limit(-1, 1005), 50 + 500)
  t.equal(clock.nowMs, 1055, 'of one step')
})

t.test('in the end it is given up there', async t => {
  const { seen, rest } = make(t, { steps: 1000, stepMs: 50 })
  t.equal(rest(60), -1)
  t.equal(seen.ended, 1, 'and cleans up')
  t.equal(seen.steps, 19, 'and a begun one')
})

t.test('work that fails is over', async t => {
  const idle = new IdleWork(0, () => ({
    next: () => {
      throw new Error('it fails')
    },
  }))
  t.equal(idle.limit(-1, 100), -1)
})

t.test('work that cannot begin is tried again after a request', async t => {
  let tries = 0
  const idle = new IdleWork(0, () => void tries++)
  for (let nowMs = 100; nowMs < 200; nowMs++) t.equal(idle.limit(-1, nowMs), -1)
  t.equal(tries, 1)
  idle.served(200)
  idle.limit(-1, 210)
  t.equal(tries, 2)
})

t.test('work that cannot begin, or not be ended, is over', async t => {
  let begun = 0
  const idle = new IdleWork(0, () => {
    begun++
    throw new Error('Cannot open a view')
  })
  t.equal(idle.limit(-1, 1000), -1)
  idle.served(1000)
  t.equal(idle.limit(-1, 2000), -1)
  t.equal(begun, 1)
  const steps = {
    next: () => ({ done: true as const, value: undefined }),
    return: () => {
      throw new Error('Cannot close it')
    },
  }
  const other = new IdleWork(0, () => steps)
  t.equal(other.limit(-1, 1000), -1)
})
