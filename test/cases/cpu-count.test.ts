/** How many CPUs a container sees: the same in /proc/stat, /proc/cpuinfo and /sys/devices/system/cpu/online. */

import t, { type Test } from 'tap'
import { type Files, hybrid, legacy, type Tenant, unified } from './tenant.ts'

const record = (cpu: number) => `processor\t: ${cpu}\nid\t\t: ${cpu}\n\n`
const range = (count: number) => Array.from({ length: count }, (_, i) => i)

/** A host with `count` CPUs; cpuinfo tells which one a record is of. */
const cpus = (count: number): Files => ({
  'sys/devices/system/cpu/online': `0-${count - 1}`,
  'sys/devices/system/cpu/possible': `0-${count - 1}`,
  'sys/devices/system/cpu/present': `0-${count - 1}`,
  'proc/cpuinfo': range(count).map(record).join(''),
  'proc/stat': `cpu  0 0 0 0 0 0 0 0 0 0\n${range(count)
    .map(cpu => `cpu${cpu} 0 0 0 0 0 0 0 0 0 0\n`)
    .join('')}intr 1\n`,
})
const EIGHT = cpus(8)

/** The host's CPUs that are shown, after all files were asked for their number. */
function shown(tenant: Tenant): number[] {
  const cpuinfo = tenant.read('cpuinfo')
  const ids = [...cpuinfo.matchAll(/^processor\t: (\d+)\nid\t\t: (\d+)\n\n/gm)]
  const numbers = ids.map(([, processor]) => Number(processor))
  const lines = tenant.read('stat').match(/^cpu(?=\d)\d+/gm) ?? []
  const online = ids.length === 1 ? '0\n' : `0-${ids.length - 1}\n`
  const same =
    numbers.every((number, i) => number === i && lines[i] === `cpu${i}`) &&
    lines.length === ids.length &&
    tenant.read('online') === online
  if (!same) throw new Error(`Cannot match ${numbers} and ${lines} with ${tenant.read('online')}`)
  return ids.map(([, , id]) => Number(id))
}

const v2 = (t: Test, max: string, cpuset = '0-7', host = EIGHT) =>
  unified(t, { ...host, '/ctr/cpu.max': max, '/ctr/cpuset.cpus.effective': cpuset })

t.test('a quota of one and a half CPUs is two', async t => {
  const tenant = v2(t, '150000 100000', '0-3')
  t.same(shown(tenant), [0, 1])
  t.equal(tenant.read('online'), '0-1\n')
  t.same(
    tenant.lines('stat', 'cpu', 'cpu0', 'cpu1', 'cpu2').map(line => line.split(' ')[0]),
    ['cpu', 'cpu0', 'cpu1'],
  )
})

for (const [max, count] of [
  ['200000 100000', 2],
  ['200001 100000', 3],
  ['199999 100000', 2],
  ['50000 100000', 1],
  ['1000 1000000', 1],
  ['10000 3333', 4],
  ['9999 3333', 3],
  ['7000001 1000000', 8],
  ['900000 100000', 8],
  ['300000', 3],
  ['max 100000', 8],
  ['0 100000', 8],
  ['100000 0', 8],
] as const) {
  t.test(`cpu.max "${max}" on 8 CPUs shows ${count}`, async t => {
    t.same(shown(v2(t, max)), range(count))
  })
}

t.test('a quota above the CPUs of the cpuset shows these', async t => {
  t.same(shown(v2(t, '800000 100000', '4-5')), [4, 5])
})

t.test('v1 has the quota and the period in two files', async t => {
  const quota = (quotaUsec: string, periodUsec: string, expected: number) => {
    const tenant = legacy(t, {
      ...EIGHT,
      '/ctr/cpu.cfs_quota_us': quotaUsec,
      '/ctr/cpu.cfs_period_us': periodUsec,
      '/ctr/cpuset.effective_cpus': '0-7',
    })
    t.same(shown(tenant), range(expected), `${quotaUsec} in ${periodUsec}`)
  }
  quota('150000', '100000', 2)
  quota('-1', '100000', 8)
  quota('0', '100000', 8)
  quota('100000', '0', 8)
})

t.test('the smallest quota on the way up counts', async t => {
  const ancestors = {
    '/a/cpu.max': '300000 100000',
    '/a/b/cpu.max': '400000 100000',
    '/a/b/c/cpu.max': 'max 100000',
  }
  t.same(shown(unified(t, { ...EIGHT, ...ancestors }, { path: '/a/b/c' })), [0, 1, 2])
  const v1 = {
    '/a/cpu.cfs_quota_us': 150000,
    '/a/cpu.cfs_period_us': 50000,
    '/a/b/c/cpu.cfs_quota_us': 400000,
    '/a/b/c/cpu.cfs_period_us': 100000,
  }
  t.same(shown(legacy(t, { ...EIGHT, ...v1 }, { path: '/a/b/c' })), [0, 1, 2])
})

t.test('weights, bursts and the quota of the root do not count', async t => {
  const files = {
    ...EIGHT,
    '/cpu.max': '100000 100000',
    '/ctr/cpu.weight': 10,
    '/ctr/cpu.max.burst': 100000,
  }
  t.same(shown(unified(t, files)), range(8))
  t.same(shown(legacy(t, { ...EIGHT, '/ctr/cpu.shares': 2 })), range(8))
})

t.test("v1's controllers may stand in different cgroups", async t => {
  const files = {
    ...EIGHT,
    '/quota/cpu.cfs_quota_us': 300000,
    '/quota/cpu.cfs_period_us': 100000,
    '/set/cpu.cfs_quota_us': 100000,
    '/set/cpu.cfs_period_us': 100000,
    '/set/cpuset.effective_cpus': '2-7',
  }
  const cgroups = '5:cpu,cpuacct:/quota\n4:cpuset:/set\n1:name=systemd:/other\n'
  t.same(shown(legacy(t, files, { cgroups })), [2, 3, 4])
})

const BIG = cpus(128)

t.test('the CPUs of a scattered cpuset are numbered from 0', async t => {
  const tenant = v2(t, 'max 100000', '3,7-9', BIG)
  t.same(shown(tenant), [3, 7, 8, 9])
  t.equal(tenant.read('online'), '0-3\n')
  t.equal(tenant.read('possible'), '0-127\n', 'what is possible is not')
  t.same(shown(v2(t, '200000 100000', '3,7-9', BIG)), [3, 7])
})

t.test('offline is what is possible and not shown', async t => {
  const tenant = v2(t, '200000 100000')
  t.equal(tenant.read('offline'), '2-7\n')
  t.equal(v2(t, 'max 100000').read('offline'), '\n')
})

t.test('one CPU is no range', async t => {
  t.equal(v2(t, '50000 100000').read('online'), '0\n')
})

t.test('an operator may keep the numbers of the host', async t => {
  const tenant = v2(t, '300000 100000', '3,7-9', BIG)
  tenant.reopen({ cpuNumbering: 'real' })
  t.equal(tenant.read('online'), '3,7-8\n')
  t.equal(tenant.read('offline'), '0-2,4-6,9-127\n')
})

t.test('an operator may show fewer possible CPUs', async t => {
  const tenant = v2(t, '200000 100000')
  tenant.reopen({ maskPossible: 'on' })
  t.equal(tenant.read('possible'), '0-1\n')
})

t.test('an operator may leave the quota out of the count', async t => {
  const tenant = v2(t, '150000 100000', '0-3')
  tenant.reopen({ cpuQuota: 'off' })
  t.same(shown(tenant), [0, 1, 2, 3])
})

t.test('a cpuset that nobody has filled has the CPUs of the nearest one above that is', async t => {
  const v1 = {
    '/a/cpuset.cpus': '2-3',
    '/a/cpuset.effective_cpus': '2-3',
    '/a/b/cpuset.cpus': '',
    '/a/b/cpuset.effective_cpus': '',
  }
  t.same(shown(legacy(t, { ...EIGHT, ...v1 }, { path: '/a/b' })), [2, 3])
  const v2 = { '/a/cpuset.cpus.effective': '2-3', '/a/b/cpuset.cpus.effective': '' }
  t.same(shown(unified(t, { ...EIGHT, ...v2 }, { path: '/a/b' })), [2, 3])
  const disabled = { '/a/cpuset.cpus.effective': '4' }
  t.same(shown(unified(t, { ...EIGHT, ...disabled }, { path: '/a/b' })), [4])
})

t.test('effective CPUs count before those that somebody asked for', async t => {
  const files = { '/ctr/cpuset.cpus': '0-7', '/ctr/cpuset.effective_cpus': '1,3' }
  t.same(shown(legacy(t, { ...EIGHT, ...files })), [1, 3])
  t.same(shown(hybrid(t, { ...EIGHT, ...files })), [1, 3])
  const tenant = legacy(t, { ...EIGHT, '/ctr/cpuset.cpus': '5-6' })
  t.same(shown(tenant), [5, 6], 'an old kernel has only these')
})

t.test('a CPU that went offline is not shown', async t => {
  const tenant = v2(t, 'max 100000', '0-3')
  tenant.set({ 'sys/devices/system/cpu/online': '0,2-7' })
  t.same(shown(tenant), [0, 2, 3])
  t.equal(tenant.read('offline'), '3-7\n')
})

for (const [what, online] of [
  ['does not list its CPUs in sysfs', undefined],
  ['has a damaged list of its CPUs', '0-x'],
  ['lists no CPU', '\n'],
] as const) {
  t.test(`a host that ${what} has those of its /proc/stat`, async t => {
    const list = { 'sys/devices/system/cpu/online': online }
    const tenant = v2(t, 'max 100000', '2-5', { ...EIGHT, ...list })
    t.same(shown(tenant), [2, 3, 4, 5])
    tenant.set({ 'proc/stat': `${EIGHT['proc/stat']}`.replace(/^cpu3 .*\n/m, '') })
    t.same(shown(tenant), [2, 4, 5], 'one that went offline is not shown')
    tenant.set({ '/ctr/cpu.max': '200000 100000' })
    t.same(shown(tenant), [2, 4])
    t.equal(tenant.read('offline'), '2-7\n')
    const real = { cpuNumbering: 'real' } as const
    const free = unified(t, { ...EIGHT, ...list }, { controllers: ['cpu'], options: real })
    t.equal(free.read('online'), '0-7\n')
  })
}

t.test('without a cpuset controller all CPUs of the host are shown', async t => {
  const files = { ...EIGHT, '/ctr/cpu.max': 'max 100000' }
  t.same(shown(unified(t, files, { controllers: ['cpu', 'memory'] })), range(8))
  t.same(shown(legacy(t, EIGHT, { controllers: ['memory'] })), range(8))
})

t.test('a new quota shows in all files at once', async t => {
  const tenant = v2(t, '100000 100000')
  t.same(shown(tenant), [0])
  tenant.set({ '/ctr/cpu.max': '300000 100000' })
  t.same(shown(tenant), [0, 1, 2])
})

t.test('a quota of a controller that is switched on shows 100 ms later at most', async t => {
  const tenant = unified(t, { ...EIGHT, '/ctr/memory.max': 'max' })
  t.same(shown(tenant), range(8))
  tenant.set({ '/ctr/cpu.max': '200000 100000' })
  tenant.advance(0.1)
  t.same(shown(tenant), [0, 1])
})
