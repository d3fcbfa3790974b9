/** What a container's /proc/stat says of its CPU time from reading to reading, in ticks of 10 ms. */

import t, { type Test } from 'tap'
import { SAMPLE_STAT_REST as REST } from '../machines/sample-host.ts'
import { cpuLines, cpuStat, hostStat } from './cpu-time.ts'
import { type Files, type Setting, unified } from './tenant.ts'

/** On two CPUs, 100 seconds old, 40 of them used; `files` change that. */
const busy = (t: Test, files: Files = {}, setting: Setting = {}) =>
  unified(
    t,
    {
      'proc/stat': hostStat(1000, 1000),
      '/ctr/cpuset.cpus.effective': '0-1',
      '/ctr/cpu.stat': cpuStat(30, 10),
      ...files,
    },
    setting,
  )

const idle = (t: Test, max: string, cpuset: string, setting: Setting = {}) =>
  busy(
    t,
    { '/ctr/cpu.stat': cpuStat(0), '/ctr/cpu.max': max, '/ctr/cpuset.cpus.effective': cpuset },
    setting,
  )

t.test(
  'the first read spreads the usage so far over the age, and the rest is the host',
  async t => {
    t.equal(
      busy(t).read('stat'),
      `cpu  3000 0 1000 16000 0 0 0 0 0 0\ncpu0 1500 0 500 8000 0 0 0 0 0 0\ncpu1 1500 0 500 8000 0 0 0 0 0 0\n${REST}`,
    )
  },
)

t.test('usage goes to the CPUs that the host was busy on', async t => {
  const tenant = busy(t)
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(38, 12), 'proc/stat': hostStat(1500, 1500) })
  t.same(cpuLines(tenant), [
    'cpu  3800 0 1200 17000 0 0 0 0 0 0',
    'cpu0 1900 0 600 8500 0 0 0 0 0 0',
    'cpu1 1900 0 600 8500 0 0 0 0 0 0',
  ])
})

t.test('a CPU three times as busy has three times the usage', async t => {
  const tenant = busy(t)
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(38, 12), 'proc/stat': hostStat(1750, 1250) })
  t.same(cpuLines(tenant), [
    'cpu  3800 0 1200 17000 0 0 0 0 0 0',
    'cpu0 2100 0 650 8250 0 0 0 0 0 0',
    'cpu1 1700 0 550 8750 0 0 0 0 0 0',
  ])
})

t.test('an idle container under half a CPU is idle all the time', async t => {
  t.same(cpuLines(idle(t, '50000 100000', '0-1')), [
    'cpu  0 0 0 10000 0 0 0 0 0 0',
    'cpu0 0 0 0 10000 0 0 0 0 0 0',
  ])
})

t.test('half a CPU fully used is half busy and half stolen', async t => {
  const tenant = idle(t, '50000 100000', '0-1')
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(4, 1) })
  t.same(cpuLines(tenant), [
    'cpu  400 0 100 10000 0 0 0 500 0 0',
    'cpu0 400 0 100 10000 0 0 0 500 0 0',
  ])
})

t.test('one busy thread under one and a half CPUs looks like one busy CPU', async t => {
  const tenant = idle(t, '150000 100000', '0-1')
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(10), 'proc/stat': hostStat(1300, 1700) })
  t.same(cpuLines(tenant), [
    'cpu  1000 0 0 21000 0 0 0 0 0 0',
    'cpu0 1000 0 0 10000 0 0 0 0 0 0',
    'cpu1 0 0 0 11000 0 0 0 0 0 0',
  ])
})

t.test('one busy thread under a quota of two CPUs of eight looks like one busy CPU', async t => {
  const tenant = idle(t, '200000 100000', '0-7')
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(10), 'proc/stat': hostStat(1900, 1900) })
  t.same(cpuLines(tenant)?.slice(1), [
    'cpu0 1000 0 0 10000 0 0 0 0 0 0',
    'cpu1 0 0 0 11000 0 0 0 0 0 0',
  ])
})

t.test('one and a half CPUs used up are idle for nothing', async t => {
  const tenant = idle(t, '150000 100000', '0-1')
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(12) })
  t.same(cpuLines(tenant), [
    'cpu  1200 0 0 20600 0 0 0 200 0 0',
    'cpu0 1000 0 0 10000 0 0 0 0 0 0',
    'cpu1 200 0 0 10600 0 0 0 200 0 0',
  ])
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(27) })
  t.equal(cpuLines(tenant)?.[0], 'cpu  2700 0 0 20600 0 0 0 700 0 0')
})

t.test('an operator may have less idle time instead of stolen time', async t => {
  const tenant = idle(t, '150000 100000', '0-1', { options: { fractional: 'idle' } })
  t.same(cpuLines(tenant)?.slice(1), [
    'cpu0 0 0 0 10000 0 0 0 0 0 0',
    'cpu1 0 0 0 5000 0 0 0 0 0 0',
  ])
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(9) })
  t.equal(cpuLines(tenant)?.[0], 'cpu  900 0 0 15600 0 0 0 0 0 0')
})

t.test('a CPU that is added starts from nothing, and the total has no jump', async t => {
  const tenant = busy(
    t,
    { '/ctr/cpu.stat': cpuStat(10), '/ctr/cpu.max': '100000 100000' },
    { ageSeconds: 50 },
  )
  t.same(cpuLines(tenant), ['cpu  1000 0 0 4000 0 0 0 0 0 0', 'cpu0 1000 0 0 4000 0 0 0 0 0 0'])
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(20), '/ctr/cpu.max': '200000 100000' })
  t.same(cpuLines(tenant), [
    'cpu  2000 0 0 4000 0 0 0 0 0 0',
    'cpu0 2000 0 0 4000 0 0 0 0 0 0',
    'cpu1 0 0 0 0 0 0 0 0 0 0',
  ])
  tenant.advance(10)
  t.equal(cpuLines(tenant)?.[2], 'cpu1 0 0 0 1000 0 0 0 0 0 0')
})

t.test('a CPU that is taken away stays in the total, and goes on when it comes back', async t => {
  const tenant = idle(t, 'max 100000', '0-1')
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.max': '100000 100000', '/ctr/cpu.stat': cpuStat(5) })
  t.same(cpuLines(tenant), ['cpu  500 0 0 20500 0 0 0 0 0 0', 'cpu0 500 0 0 10500 0 0 0 0 0 0'])
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.max': 'max 100000' })
  t.same(cpuLines(tenant), [
    'cpu  500 0 0 21500 0 0 0 0 0 0',
    'cpu0 500 0 0 11500 0 0 0 0 0 0',
    'cpu1 0 0 0 10000 0 0 0 0 0 0',
  ])
  tenant.advance(10)
  t.equal(cpuLines(tenant)?.[2], 'cpu1 0 0 0 11000 0 0 0 0 0 0')
})

t.test('a cgroup that was made anew counts on, and nothing falls', async t => {
  const tenant = busy(t)
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(0.2, 0) })
  t.equal(cpuLines(tenant)?.[0], 'cpu  3020 0 1000 17980 0 0 0 0 0 0')
})

t.test('a fraction of a CPU was stolen before the first read too', async t => {
  const tenant = busy(t, { '/ctr/cpu.stat': cpuStat(120), '/ctr/cpu.max': '150000 100000' })
  t.same(cpuLines(tenant), [
    'cpu  12000 0 0 6000 0 0 0 2000 0 0',
    'cpu0 10000 0 0 0 0 0 0 0 0 0',
    'cpu1 2000 0 0 6000 0 0 0 2000 0 0',
  ])
})

t.test('more usage than fits into the age is cut at the first read', async t => {
  const tenant = busy(t, { '/ctr/cpu.stat': cpuStat(300, 100) })
  t.equal(cpuLines(tenant)?.[0], 'cpu  15000 0 5000 0 0 0 0 0 0 0')
})

t.test('of the time that the machine was suspended nothing is idle', async t => {
  const tenant = busy(t, { '/ctr/cpu.stat': cpuStat(0) }, { ageSeconds: 9000 })
  const { clock } = tenant.machine
  clock.boottimeUsec = () => clock.usec + 3600e6
  t.equal(cpuLines(tenant)?.[0], 'cpu  0 0 0 2000000 0 0 0 0 0 0')
  t.match(tenant.read('uptime'), /^12600\.00 20000\.00\n$/)
})

t.test('what a CPU has no room for is done by the others', async t => {
  const tenant = busy(t, { '/ctr/cpu.stat': cpuStat(0) })
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(16), 'proc/stat': hostStat(1900, 1100) })
  t.same(cpuLines(tenant)?.slice(1), [
    'cpu0 1000 0 0 10000 0 0 0 0 0 0',
    'cpu1 600 0 0 10400 0 0 0 0 0 0',
  ])
})

t.test('two reads within 10 ms say the same', async t => {
  const tenant = busy(t)
  const first = cpuLines(tenant)
  tenant.advance(0.009)
  tenant.set({ '/ctr/cpu.stat': cpuStat(30.009, 10) })
  t.same(cpuLines(tenant), first)
  tenant.advance(0.011)
  t.not(cpuLines(tenant)?.[0], first?.[0])
})

t.test('usage that runs ahead of the clock waits for its time', async t => {
  const tenant = idle(t, '100000 100000', '0-1')
  tenant.read('stat')
  tenant.advance(10)
  tenant.set({ '/ctr/cpu.stat': cpuStat(12) })
  t.equal(cpuLines(tenant)?.[0], 'cpu  1000 0 0 10000 0 0 0 0 0 0', 'no CPU above 100 %')
  tenant.advance(10)
  t.equal(cpuLines(tenant)?.[0], 'cpu  1200 0 0 10800 0 0 0 0 0 0')
})

t.test('niced time is no user time where the kernel tells it', async t => {
  const tenant = busy(t, {
    '/ctr/cpuset.cpus.effective': '0',
    '/ctr/cpu.stat': 'usage_usec 10000000\nuser_usec 10000000\nsystem_usec 0\nnice_usec 4000000\n',
  })
  t.equal(cpuLines(tenant)?.[0], 'cpu  600 400 0 9000 0 0 0 0 0 0')
  const older = busy(t, { '/ctr/cpuset.cpus.effective': '0', '/ctr/cpu.stat': cpuStat(10) })
  t.equal(cpuLines(older)?.[0], 'cpu  1000 0 0 9000 0 0 0 0 0 0')
})

t.test('the format is that of the kernel', async t => {
  const text = busy(t).read('stat')
  t.match(text, /^cpu {2}\d+( \d+){9}\ncpu0( \d+){10}\ncpu1( \d+){10}\nintr /)
  t.match(text, /^softirq( \d+){11}\n$/m)
  t.ok(text.endsWith('\n'))
  t.notOk(text.endsWith('\n\n'))
})

t.test('lines of kernels to come are those of the host', async t => {
  const tenant = busy(t, { 'proc/stat': `${hostStat(1, 1)}novelty 1 2 3\n` })
  t.match(tenant.read('stat'), /\nnovelty 1 2 3\n$/)
})

const thread = (tid: number, state: string): Files => ({
  [`proc/${tid}/stat`]: `${tid} (x) ${state} 1 2\n`,
})

t.test('tasks that run and that are blocked are the own ones', async t => {
  const tenant = busy(t, {
    '/ctr/cgroup.threads': '101\n102\n103\n104\n105\n',
    ...thread(101, 'R'),
    ...thread(102, 'R'),
    ...thread(103, 'D'),
    ...thread(104, 'R'),
    ...thread(105, 'S'),
  })
  t.same(tenant.lines('stat', 'procs_running', 'procs_blocked'), [
    'procs_running 3',
    'procs_blocked 1',
  ])
})

t.test('whoever reads runs', async t => {
  const tenant = busy(t, { '/ctr/cgroup.threads': '101\n', ...thread(101, 'S') })
  t.same(tenant.lines('stat', 'procs_running', 'procs_blocked'), [
    'procs_running 1',
    'procs_blocked 0',
  ])
})
