import fc from 'fast-check'
import t from 'tap'
import { CpuFinder, visibleCpus } from '../../../src/proc/cpu/visible.ts'

const range = (count: number) => Array.from({ length: count }, (_, i) => i)
const ON = { cpuQuota: 'on' } as const
const quota = (quotaUsec: number, periodUsec = 100_000) => ({ quotaUsec, periodUsec })
const count = (quotaUsec: number, periodUsec: number, cpus: number) =>
  visibleCpus(range(cpus), undefined, quota(quotaUsec, periodUsec), ON).count

t.test('a quota of one and a half CPUs shows two', async t => {
  t.same(visibleCpus(range(8), [0, 1, 2, 3], quota(150_000), ON), {
    effective: [0, 1, 2, 3],
    count: 2,
    quotaCpus: 1.5,
  })
})

t.test('a quota is rounded up to whole CPUs, at most those there are', async t => {
  t.equal(count(200_000, 100_000, 8), 2)
  t.equal(count(200_001, 100_000, 8), 3)
  t.equal(count(50_000, 100_000, 8), 1)
  t.equal(count(10_000, 3333, 8), 4)
  t.equal(count(800_000, 100_000, 2), 2)
  t.equal(count(1000, 1_000_000, 8), 1)
  t.equal(count(2 ** 53, 1000, 8), 8)
  t.equal(count(300_000, 100_000, 8), 3)
})

t.test('without a quota all CPUs of the cpuset show', async t => {
  t.same(visibleCpus(range(128), [3, 7, 8, 9], undefined, ON), {
    effective: [3, 7, 8, 9],
    count: 4,
    quotaCpus: 4,
  })
})

t.test('a quota shows the first CPUs of the cpuset', async t => {
  const cpus = visibleCpus(range(128), [3, 7, 8, 9], quota(200_000), ON)
  t.match(cpus, { effective: [3, 7, 8, 9], count: 2, quotaCpus: 2 })
})

t.test('without a cpuset the online CPUs are those', async t => {
  t.same(visibleCpus([0, 1, 3], undefined, undefined, ON).effective, [0, 1, 3])
})

t.test('offline CPUs of a cpuset do not count', async t => {
  t.same(visibleCpus([0, 1, 3], [1, 2, 3], undefined, ON).effective, [1, 3])
  t.same(visibleCpus([0, 1], [6, 7], undefined, ON).effective, [0, 1])
  t.same(visibleCpus([0, 1, 2], [1, 2, 3], undefined, ON).effective, [1, 2])
  t.same(visibleCpus(range(9), [1, 8], undefined, ON).effective, [1, 8])
})

t.test('an operator may have quotas not count', async t => {
  const cpus = visibleCpus(range(4), undefined, quota(50_000), { cpuQuota: 'off' })
  t.match(cpus, { count: 4, quotaCpus: 4 })
})

t.test('there is always one CPU', async t => {
  t.match(visibleCpus([], undefined, undefined, ON), { effective: [0], count: 1, quotaCpus: 1 })
})

t.test('the count is within what there is and covers the quota', async () => {
  const cpus = fc.uniqueArray(fc.nat(64), { minLength: 1 })
  fc.assert(
    fc.property(
      cpus,
      fc.option(cpus),
      fc.nat(2 ** 33),
      fc.integer({ min: 1, max: 1e6 }),
      (on, set, q, p) => {
        const seen = visibleCpus(on, set ?? undefined, quota(q + 1, p), ON)
        return (
          seen.count >= 1 &&
          seen.count <= seen.effective.length &&
          seen.quotaCpus > seen.count - 1 &&
          seen.quotaCpus <= seen.count &&
          seen.effective.every(cpu => on.includes(cpu))
        )
      },
    ),
  )
})

t.test('the CPUs of a container are the same object until they change', async t => {
  const finder = new CpuFinder(ON)
  const [online, cpuset] = [range(8), [0, 1, 2]]
  const first = finder.find(online, cpuset, quota(150_000))
  t.same(first, visibleCpus(online, cpuset, quota(150_000), ON))
  t.equal(finder.find(online, cpuset, quota(150_000)), first)
  t.equal(finder.find([...online], [...cpuset], quota(300_000, 200_000)), first, 'read anew')
  t.equal(finder.find(online, cpuset, quota(100_000)).count, 1)
  t.equal(finder.find(online, cpuset, quota(100_000, 50_000)).count, 2)
  t.equal(finder.find(online, cpuset, undefined).count, 3)
  t.equal(finder.find(online, undefined, undefined).count, 8)
  t.equal(finder.find(range(4), undefined, undefined).count, 4)
})
