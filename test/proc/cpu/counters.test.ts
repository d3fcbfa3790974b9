import t from 'tap'
import { hostTimesSince, rawHost, rawUsage, spreadUsage } from '../../../src/proc/cpu/counters.ts'
import { NO_TIME } from '../../../src/proc/cpu/time.ts'
import type { VisibleCpus } from '../../../src/proc/cpu/visible.ts'
import { NO_WORK, type Work } from '../../../src/proc/cpu/work.ts'

const TWO: VisibleCpus = { effective: [3, 7], count: 2, quotaCpus: 2 }
const user = (userUsec: number): Work => ({ ...NO_WORK, userUsec })
const noHost = () => new Map()

t.test('usage per CPU is kept by number, niced time is none', async t => {
  const perCpu = new Map([[7, { userUsec: 1, systemUsec: 2 }]])
  t.same(rawUsage({ userUsec: 1, niceUsec: 0, systemUsec: 2, perCpu }, noHost), {
    source: 'cgroup',
    total: { userUsec: 1, niceUsec: 0, systemUsec: 2 },
    perCpu: { 7: { userUsec: 1, niceUsec: 0, systemUsec: 2 } },
  })
})

t.test('a total is kept with how busy the host was', async t => {
  const host = () => new Map([[3, { ...NO_TIME, userUsec: 5, idleUsec: 9 }]])
  const raw = rawUsage({ ...user(4), perCpu: undefined }, host)
  t.same(raw, { source: 'cgroup', total: user(4), hostBusyUsec: { 3: 5 } })
})

t.test('a CPU that the host did not list before has no weight yet', async t => {
  const before = { source: 'cgroup', total: NO_WORK, hostBusyUsec: { 3: 100 } } as const
  const now = { source: 'cgroup', total: user(10), hostBusyUsec: { 3: 101, 7: 999 } } as const
  t.same(spreadUsage(before, now, { usec: 100, carry: NO_WORK }, TWO).busy, [user(10), NO_WORK])
})

t.test('when the kind of source changes only totals compare', async t => {
  const before = { source: 'cgroup', total: user(10), perCpu: { 3: user(10) } } as const
  const now = { source: 'cgroup', total: user(30), hostBusyUsec: { 3: 100, 7: 0 } } as const
  t.same(spreadUsage(before, now, { usec: 100, carry: NO_WORK }, TWO).busy, [user(10), user(10)])
  t.same(
    spreadUsage(now, { ...before, total: user(40) }, { usec: 100, carry: NO_WORK }, TWO).busy,
    [user(5), user(5)],
  )
})

t.test('what was carried over is used now', async t => {
  const raw = { source: 'cgroup', total: NO_WORK, hostBusyUsec: {} } as const
  t.same(spreadUsage(raw, raw, { usec: 100, carry: user(8) }, TWO).busy, [user(4), user(4)])
})

t.test("the host's times grow by CPU number, whatever CPU shows where", async t => {
  const time = (userUsec: number) => ({ ...NO_TIME, userUsec })
  const before = rawHost(
    new Map([
      [3, time(1)],
      [5, time(2)],
    ]),
    [3, 5, 9],
  )
  const now = rawHost(
    new Map([
      [5, time(7)],
      [6, time(8)],
    ]),
    [5, 6],
  )
  t.same(before.cpus, { 3: time(1), 5: time(2) })
  const cpus = { effective: [5, 6, 9], count: 3, quotaCpus: 3 }
  t.same(hostTimesSince(now, before, cpus), [time(5), NO_TIME, NO_TIME])
})
