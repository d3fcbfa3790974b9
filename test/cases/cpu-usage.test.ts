/** Where a container's CPU time comes from on one host or another. */

import t, { type Test } from 'tap'
import { SAMPLE_STAT_REST as REST } from '../machines/sample-host.ts'
import { cpuLines, cpuStat, hostStat } from './cpu-time.ts'
import { type Files, hybrid, legacy, unified } from './tenant.ts'

const ns = (seconds: number) => `${seconds}000000000`
const usageAll = (userSeconds: readonly number[]) =>
  `cpu user system\n${userSeconds.map((seconds, cpu) => `${cpu} ${ns(seconds)} 0\n`).join('')}`

t.test(
  "v1's counters go by the number of the CPU, also when one in between is offline",
  async t => {
    const tenant = legacy(t, {
      'sys/devices/system/cpu/online': '0-3,5-7',
      '/ctr/cpuset.effective_cpus': '3,7',
      '/ctr/cpuacct.usage_all': usageAll([0, 0, 0, 0, 0, 0, 0, 0]),
    })
    tenant.read('stat')
    tenant.advance(10)
    tenant.set({ '/ctr/cpuacct.usage_all': usageAll([0, 0, 0, 6, 0, 0, 0, 1]) })
    t.same(cpuLines(tenant), [
      'cpu  700 0 0 21300 0 0 0 0 0 0',
      'cpu0 600 0 0 10400 0 0 0 0 0 0',
      'cpu1 100 0 0 10900 0 0 0 0 0 0',
    ])
  },
)

t.test('usage on CPUs beyond the quota is that of the shown ones', async t => {
  const tenant = legacy(t, {
    '/ctr/cpuset.effective_cpus': '0-3',
    '/ctr/cpu.cfs_quota_us': 200000,
    '/ctr/cpu.cfs_period_us': 100000,
    '/ctr/cpuacct.usage_all': usageAll([0, 0, 0, 0]),
  })
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpuacct.usage_all': usageAll([1, 2, 3, 4]) })
  t.same(cpuLines(tenant), [
    'cpu  1000 0 0 21000 0 0 0 0 0 0',
    'cpu0 400 0 0 10600 0 0 0 0 0 0',
    'cpu1 600 0 0 10400 0 0 0 0 0 0',
  ])
})

t.test('usage on CPUs that left the cpuset goes by their number', async t => {
  const tenant = legacy(t, {
    '/ctr/cpuset.effective_cpus': '2-5',
    '/ctr/cpuacct.usage_all': usageAll([0, 0, 0, 0, 0, 0]),
  })
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({
    '/ctr/cpuset.effective_cpus': '2-3',
    '/ctr/cpuacct.usage_all': usageAll([0, 0, 1, 2, 0, 4]),
  })
  t.same(cpuLines(tenant)?.slice(1), [
    'cpu0 100 0 0 10900 0 0 0 0 0 0',
    'cpu1 600 0 0 10400 0 0 0 0 0 0',
  ])
})

/** Ten seconds of usage under v1, by files that give it in some way. */
function v1Usage(t: Test, before: Files, after: Files) {
  const tenant = legacy(t, { '/ctr/cpuset.effective_cpus': '0-1', ...before })
  tenant.read('stat')
  tenant.advance(10)
  tenant.set(after)
  return cpuLines(tenant)
}

t.test('an older v1 has user and system time by CPU in two files', async t => {
  const files = (user: string, system: string) => ({
    '/ctr/cpuacct.usage_percpu_user': user,
    '/ctr/cpuacct.usage_percpu_sys': system,
  })
  const none = '0 0 0 0 0 0 0 0 '
  const after = files(`${ns(3)} ${ns(1)} 0 0 0 0 0 0 `, `${ns(1)} 0 0 0 0 0 0 0 `)
  t.same(v1Usage(t, files(none, none), after), [
    'cpu  400 0 100 21500 0 0 0 0 0 0',
    'cpu0 300 0 100 10600 0 0 0 0 0 0',
    'cpu1 100 0 0 10900 0 0 0 0 0 0',
  ])
})

t.test('the oldest v1 splits the usage of each CPU as the ticks say', async t => {
  const before = { '/ctr/cpuacct.usage_percpu': '0 0 0 0 0 0 0 0 ' }
  const after = {
    '/ctr/cpuacct.usage_percpu': `${ns(4)} ${ns(1)} 0 0 0 0 0 0 `,
    '/ctr/cpuacct.stat': 'user 375\nsystem 125\n',
  }
  t.same(v1Usage(t, before, after), [
    'cpu  375 0 125 21500 0 0 0 0 0 0',
    'cpu0 300 0 100 10600 0 0 0 0 0 0',
    'cpu1 75 0 25 10900 0 0 0 0 0 0',
  ])
})

t.test('a total under v1 is split as the ticks say', async t => {
  const before = { '/ctr/cpuacct.usage': 0, 'proc/stat': hostStat(0, 0) }
  const after = { '/ctr/cpuacct.usage': ns(5), '/ctr/cpuacct.stat': 'user 400\nsystem 100\n' }
  t.same(v1Usage(t, before, after), [
    'cpu  400 0 100 21500 0 0 0 0 0 0',
    'cpu0 200 0 50 10750 0 0 0 0 0 0',
    'cpu1 200 0 50 10750 0 0 0 0 0 0',
  ])
})

t.test('v1 has its CPU time in the cgroup of cpuacct, whatever that of cpuset is', async t => {
  const tenant = legacy(
    t,
    {
      '/set/cpuset.effective_cpus': '0-1',
      '/set/cpuacct.usage_all': usageAll([50, 50]),
      '/time/cpuacct.usage_all': usageAll([10, 10]),
    },
    { cgroups: '4:cpu,cpuacct:/time\n3:cpuset:/set\n' },
  )
  t.equal(cpuLines(tenant)?.[0], 'cpu  2000 0 0 18000 0 0 0 0 0 0')
})

const SPENT = {
  'proc/stat': hostStat(1000, 1000),
  '/ctr/cpuset.effective_cpus': '0-1',
  '/ctr/cpu.stat': cpuStat(30, 10),
}
const SPENT_LINE = 'cpu  3000 0 1000 16000 0 0 0 0 0 0'

t.test('a hybrid host without cpuacct has the CPU time in the unified hierarchy', async t => {
  const tenant = hybrid(t, SPENT, { controllers: ['memory', 'cpuset', 'pids'] })
  t.equal(cpuLines(tenant)?.[0], SPENT_LINE)
})

t.test('a hybrid host whose cpuacct cannot be read has it there too', async t => {
  t.equal(cpuLines(hybrid(t, SPENT))?.[0], SPENT_LINE)
  const placed = 'cpu,cpuacct:/\n4:cpuset:/ctr\n0::/ctr\n'
  t.equal(
    cpuLines(hybrid(t, SPENT, { cgroups: `5:${placed}` }))?.[0],
    SPENT_LINE,
    'or is not placed',
  )
})

const NOTHING: Files = {
  'proc/stat': `cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 10 0 20 700 5 1 2 3 4 0\ncpu1 1 1 1 1 1 1 1 1 1 1\ncpu2 30 2 40 600 6 0 1 0 8 1\n${REST}`,
  'sys/devices/system/cpu/online': '0-2',
  '/ctr/cpuset.cpus.effective': '0,2',
}

t.test('without any usage to read the visible CPUs of the host are shown', async t => {
  const tenant = unified(t, NOTHING)
  t.same(cpuLines(tenant), [
    'cpu  40 2 60 1300 11 1 3 3 12 1',
    'cpu0 10 0 20 700 5 1 2 3 4 0',
    'cpu1 30 2 40 600 6 0 1 0 8 1',
  ])
  tenant.advance(1)
  const later = `${NOTHING['proc/stat']}`.replace('cpu2 30 2 40', 'cpu2 25 4 50')
  tenant.set({ 'proc/stat': later })
  t.same(cpuLines(tenant), [
    'cpu  40 4 70 1300 11 1 3 3 12 1',
    'cpu0 10 0 20 700 5 1 2 3 4 0',
    'cpu1 30 4 50 600 6 0 1 0 8 1',
  ])
})

t.test("the guests' time on the host is part of its user time and weighs once", async t => {
  const host = (user0: number, guest0: number, user1: number) =>
    `cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 ${user0} 0 0 0 0 0 0 0 ${guest0} 0\ncpu1 ${user1} 0 0 0 0 0 0 0 0 0\n${REST}`
  const tenant = unified(t, {
    'proc/stat': host(0, 0, 0),
    '/ctr/cpuset.cpus.effective': '0-1',
    '/ctr/cpu.stat': cpuStat(0),
  })
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(10), 'proc/stat': host(500, 500, 500) })
  t.same(cpuLines(tenant)?.slice(1), [
    'cpu0 500 0 0 10500 0 0 0 0 0 0',
    'cpu1 500 0 0 10500 0 0 0 0 0 0',
  ])
})

t.test('a week of 128 CPUs is exact to a tick', async t => {
  const tenant = legacy(
    t,
    {
      'sys/devices/system/cpu/online': '0-127',
      'sys/devices/system/cpu/possible': '0-127',
      '/ctr/cpuset.effective_cpus': '0-127',
      '/ctr/cpuacct.usage': '130000000000000000',
    },
    { ageSeconds: 9999 },
  )
  tenant.read('stat')
  tenant.advance(1)
  const total = () => Number(cpuLines(tenant)?.[0]?.split(/ +/)[1])
  const before = total()
  tenant.advance(1)
  tenant.set({ '/ctr/cpuacct.usage': '130000000010000000' })
  t.equal(total() - before, 1)
})

t.test('CPUs go on as idle where the files of v1 are gone for good', async t => {
  const files = (text: string | undefined) => ({
    '/ctr/cpuacct.usage_all': text,
    '/ctr/cpuacct.usage': text && ns(30),
  })
  const tenant = legacy(t, { '/ctr/cpuset.effective_cpus': '0-1', ...files(usageAll([30, 0])) })
  t.same(cpuLines(tenant), [
    'cpu  3000 0 0 17000 0 0 0 0 0 0',
    'cpu0 3000 0 0 7000 0 0 0 0 0 0',
    'cpu1 0 0 0 10000 0 0 0 0 0 0',
  ])
  tenant.set(files(undefined))
  for (let i = 0; i < 60; i++) {
    tenant.advance(1)
    tenant.read('stat')
  }
  t.same(cpuLines(tenant), [
    'cpu  3000 0 0 29000 0 0 0 0 0 0',
    'cpu0 3000 0 0 13000 0 0 0 0 0 0',
    'cpu1 0 0 0 16000 0 0 0 0 0 0',
  ])
  t.match(tenant.read('uptime'), /^160\.00 290\.00$/m)
})
