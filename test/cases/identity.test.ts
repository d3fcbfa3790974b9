/** Which cgroups a container is in, and what becomes of its files when they or its init go. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readContainer } from '../../src/container/identity.ts'
import {
  numbers,
  SAMPLE_HOST,
  SAMPLE_MEMINFO,
  SAMPLE_MEMORY_STAT,
} from '../machines/sample-host.ts'
import { type Files, hybrid, INIT, legacy, statOf, type Tenant, unified } from './tenant.ts'

const MiB = 2 ** 20
const memory = (path: string, mib: number): Files => ({
  [`${path}/memory.max`]: mib * MiB,
  [`${path}/memory.current`]: 4 * MiB,
})
const cpu = (path: string, userSeconds: number): Files => ({
  [`${path}/cpu.stat`]: `user_usec ${userSeconds * 1e6}\nsystem_usec 0\n`,
  [`${path}/cpuset.cpus.effective`]: '0-1',
})
const read = (tenant: Tenant) => numbers(tenant.read('meminfo'))
const aggregate = (tenant: Tenant) => tenant.lines('stat', 'cpu')[0]

t.test('an init that moves itself down leaves the view where it was', async t => {
  const tenant = unified(t, {
    ...memory('/ctr', 256),
    '/ctr/memory.stat': SAMPLE_MEMORY_STAT,
    ...memory('/ctr/init.scope', 1),
    ...memory('/ctr/system.slice', 2),
  })
  const before = tenant.read('meminfo')
  tenant.set({ [`proc/${INIT}/cgroup`]: '0::/ctr/init.scope\n' })
  t.equal(tenant.read('meminfo'), before)
  tenant.set({ '/ctr/memory.current': 100 * MiB })
  t.equal(read(tenant).MemFree, 156 * 1024, 'what its siblings use counts')
})

t.test('a container that was moved while its init lives is found again', async t => {
  const tenant = unified(t, { ...memory('/ctr', 256), ...cpu('/ctr', 50) })
  t.equal(read(tenant).MemTotal, 262144)
  t.equal(aggregate(tenant), 'cpu  5000 0 0 15000 0 0 0 0 0 0')
  tenant.advance(10)
  tenant.set({
    'sys/fs/cgroup/ctr': undefined,
    [`proc/${INIT}/cgroup`]: '0::/other\n',
    ...memory('/other', 512),
    ...cpu('/other', 1),
  })
  t.equal(read(tenant).MemTotal, 524288)
  t.equal(aggregate(tenant), 'cpu  5100 0 0 16900 0 0 0 0 0 0', 'no counter falls')
  tenant.advance(10)
  tenant.set(cpu('/other', 3))
  t.equal(aggregate(tenant), 'cpu  5300 0 0 18700 0 0 0 0 0 0')
})

t.test('a container that was moved in one hierarchy of v1 is found again there', async t => {
  const tenant = legacy(t, {
    '/ctr/memory.limit_in_bytes': 256 * MiB,
    '/ctr/memory.usage_in_bytes': 4 * MiB,
    '/ctr/cpuset.effective_cpus': '0-1',
  })
  t.equal(read(tenant).MemTotal, 262144)
  tenant.set({
    'sys/fs/cgroup/memory/ctr': undefined,
    [`proc/${INIT}/cgroup`]: '5:memory:/other\n4:cpuset:/ctr\n3:cpu,cpuacct:/ctr\n',
    '/other/memory.limit_in_bytes': 512 * MiB,
    '/other/memory.usage_in_bytes': 4 * MiB,
  })
  t.equal(read(tenant).MemTotal, 524288)
  t.equal(tenant.read('online'), '0-1\n')
})

t.test('the CPUs of a container that is in no cgroup any more go on as idle', async t => {
  const tenant = unified(t, { ...memory('/ctr', 256), ...cpu('/ctr', 50) })
  const cpu0 = () => tenant.lines('stat', 'cpu0')[0]
  t.equal(cpu0(), 'cpu0 2500 0 0 7500 0 0 0 0 0 0')
  tenant.set({ 'sys/fs/cgroup/ctr': undefined, [`proc/${INIT}/cgroup`]: '0::/\n' })
  tenant.advance(10)
  t.equal(cpu0(), 'cpu0 2500 0 0 8500 0 0 0 0 0 0')
  tenant.advance(60)
  tenant.restart()
  t.equal(cpu0(), 'cpu0 2500 0 0 14500 0 0 0 0 0 0')
})

/** What the init's /proc/PID/cgroup says by the first read, where the registration says something else. */
const now = (cgroups: string): Files => ({ [`proc/${INIT}/cgroup`]: cgroups })

t.test(
  'a container that was registered before it was placed is looked for at the first read',
  async t => {
    const tenant = unified(t, { ...memory('/ctr', 256), ...now('0::/ctr\n') }, { path: '/' })
    t.equal(read(tenant).MemTotal, 262144)
    const host = unified(t, { ...memory('/ctr', 256), ...now('0::/\n') }, { path: '/' })
    t.equal(host.read('meminfo'), SAMPLE_MEMINFO, 'it is nowhere by then')
  },
)

t.test('a controller without a place leaves the others where they were', async t => {
  const files = {
    '/ctr/memory.limit_in_bytes': 256 * MiB,
    '/ctr/memory.usage_in_bytes': 4 * MiB,
    '/ctr/memory.stat': 'total_cache 2097152\n',
    '/ctr/app/memory.usage_in_bytes': MiB,
    '/ctr/app/memory.stat': 'total_cache 4096\n',
    ...now('3:memory:/ctr/app\n2:pids:/ctr/app\n0::/\n'),
  }
  const tenant = hybrid(t, files, { cgroups: '3:memory:/ctr\n2:pids:/ctr\n0::/\n' })
  t.match(read(tenant), { MemTotal: 262144, MemFree: 258048, Cached: 2048 })
})

const AFTER_ITS_END = ['meminfo', 'swaps', 'cpuinfo', 'online', 'diskstats', 'partitions'] as const

t.test('of a container that has ended the last is shown', async t => {
  const tenant = unified(t, {
    ...memory('/ctr', 256),
    ...cpu('/ctr', 50),
    'proc/cpuinfo': 'processor\t: 0\nid\t: 0\n\nprocessor\t: 1\nid\t: 1\n\n',
    '/ctr/cpu.max': '100000 100000',
    '/ctr/cgroup.threads': `${INIT}\n`,
    [`proc/${INIT}/mountinfo`]: '5 1 8:0 / / rw - ext4 /dev/sda rw\n',
    '/ctr/io.stat': '8:0 rios=7\n',
  })
  const texts = () => AFTER_ITS_END.map(name => tenant.read(name))
  const last = texts()
  t.match(last[0], /^MemTotal: +262144 kB/)
  t.match(last[4], / sda 7 0 /)
  const stat = tenant.lines('stat', 'cpu', 'cpu0', 'cpu1')
  t.equal(stat.length, 2)
  tenant.set({ [`proc/${INIT}`]: undefined, 'sys/fs/cgroup/ctr': undefined })
  tenant.advance(60)
  t.same(texts(), last)
  t.same(tenant.lines('stat', 'cpu', 'cpu0', 'cpu1'), stat)
  tenant.set({
    [`proc/${INIT}/stat`]: statOf(tenant.startTicks + 999),
    [`proc/${INIT}/cgroup`]: '0::/other\n',
    ...memory('/other', 512),
  })
  t.same(texts(), last, 'another process with its pid is another')
  tenant.set({ ...memory('/ctr', 512), ...cpu('/ctr', 5000), '/ctr/cpu.max': '200000 100000' })
  tenant.advance(60)
  t.same(tenant.lines('stat', 'cpu', 'cpu0', 'cpu1'), stat, 'a cgroup of its name, too')
  t.same(texts(), last)
})

/** The container's cgroup was removed, and another container has the path since then. */
function giveAway(tenant: Tenant, init: Files): void {
  tenant.set(init)
  tenant.replace('/ctr/memory.max', { ...memory('/ctr', 512), ...cpu('/ctr', 5000) })
  tenant.advance(60)
}
const ENDED = { [`proc/${INIT}`]: undefined }
const MOVED = { ...now('0::/other\n'), ...memory('/other', 128), ...cpu('/other', 1) }
const cpuLines = (tenant: Tenant) => tenant.lines('stat', 'cpu', 'cpu0', 'cpu1')

t.test('a cgroup that was made again is not that of a container that has ended', async t => {
  const tenant = unified(t, { ...memory('/ctr', 256), ...cpu('/ctr', 50) })
  const [meminfo, lines] = [tenant.read('meminfo'), cpuLines(tenant)]
  giveAway(tenant, ENDED)
  t.equal(tenant.read('meminfo'), meminfo)
  t.strictSame(cpuLines(tenant), lines)
  tenant.set({ '/ctr/memory.swap.max': 4 * MiB, '/ctr/memory.swap.current': MiB })
  t.equal(tenant.read('meminfo'), meminfo, 'nor are files that come later its own')
})

t.test('a cgroup of v1 that was made again is not that of a container that has ended', async t => {
  const tenant = legacy(t, {
    '/ctr/memory.limit_in_bytes': 256 * MiB,
    '/ctr/memory.usage_in_bytes': 4 * MiB,
    '/ctr/blkio.throttle.io_serviced': '8:0 Read 7\n',
    [`proc/${INIT}/mountinfo`]: '5 1 8:0 / / rw - ext4 /dev/sda rw\n',
  })
  const texts = () => ['meminfo', 'diskstats'].map(name => tenant.read(name))
  const last = texts()
  t.match(last[1], / sda 7 0 /)
  tenant.set(ENDED)
  const limit = '/ctr/memory.limit_in_bytes'
  tenant.replace(limit, { [limit]: 512 * MiB, '/ctr/memory.usage_in_bytes': 4 * MiB })
  const io = '/ctr/blkio.throttle.io_serviced'
  tenant.replace(io, { [io]: '8:0 Read 9\n' })
  t.strictSame(texts(), last)
})

t.test(
  'a container that was moved is not found in the cgroup that has its path by now',
  async t => {
    const tenant = unified(t, { ...memory('/ctr', 256), ...cpu('/ctr', 50) })
    aggregate(tenant)
    giveAway(tenant, MOVED)
    t.equal(read(tenant).MemTotal, 131072)
    t.match(aggregate(tenant), /^cpu {2}5100 /)
  },
)

t.test('a cgroup that was made again is its own where its init is in it', async t => {
  const tenant = unified(t, { ...memory('/ctr', 256), ...cpu('/ctr', 50) })
  t.equal(read(tenant).MemTotal, 262144)
  giveAway(tenant, now('0::/ctr\n'))
  t.equal(read(tenant).MemTotal, 524288)
  giveAway(tenant, ENDED)
  tenant.set(memory('/ctr', 64))
  t.equal(read(tenant).MemTotal, 524288)
})

t.test('the next server knows a cgroup from the one that was made again', async t => {
  const ended = unified(t, { ...memory('/ctr', 256), ...cpu('/ctr', 50) })
  const lines = cpuLines(ended)
  giveAway(ended, ENDED)
  ended.restart()
  t.strictSame(cpuLines(ended), lines)
  t.equal(ended.read('meminfo'), SAMPLE_MEMINFO, 'what was shown last is not kept')

  const moved = unified(t, { ...memory('/ctr', 256), ...cpu('/ctr', 50) })
  t.equal(read(moved).MemTotal, 262144)
  giveAway(moved, MOVED)
  moved.restart()
  t.equal(read(moved).MemTotal, 131072)
  moved.restart()
  t.equal(read(moved).MemTotal, 131072, 'and the one after that')
  moved.restart({ cgroup: '/ctr' })
  t.equal(read(moved).MemTotal, 524288, 'another cgroup that an operator shows is no other one')
})

t.test('a path may hold colons', async t => {
  t.equal(read(unified(t, memory('/a:b/ctr', 256), { path: '/a:b/ctr' })).MemTotal, 262144)
  const v1 = { '/a:b/c:d/memory.limit_in_bytes': 256 * MiB, '/a:b/c:d/memory.usage_in_bytes': 0 }
  t.equal(read(legacy(t, v1, { path: '/a:b/c:d' })).MemTotal, 262144)
})

t.test('a path outside of our cgroup namespace is no place: the host is shown', async t => {
  for (const open of [unified, legacy]) {
    const tenant = open(t, { 'proc/cpuinfo': 'processor\t: 0\n\n' }, { path: '/../../x' })
    t.equal(tenant.read('meminfo'), SAMPLE_MEMINFO)
    for (const file of ['swaps', 'slabinfo', 'loadavg', 'vmstat']) {
      t.equal(tenant.read(file), SAMPLE_HOST[`proc/${file}`])
    }
    t.equal(tenant.read('online'), '0-7\n')
    t.match(tenant.read('stat'), /^cpu {2}9628 80 4800 1280000 400 0 160 0 0 0\ncpu0 1200 10 600 /)
    t.match(tenant.read('uptime'), /^100\.00 /)
  }
})

t.test('a cgroup whose name begins with dots is a place like any other', async t => {
  for (const path of ['/..hidden', '/a/..b', '/...']) {
    t.equal(read(unified(t, memory(path, 256), { path })).MemTotal, 262144, path)
  }
  const v1 = { '/..a/b/memory.limit_in_bytes': 256 * MiB, '/..a/b/memory.usage_in_bytes': 0 }
  t.equal(read(legacy(t, v1, { path: '/..a/b' })).MemTotal, 262144)
  const outside = unified(t, memory('/box', 256), { path: '/..a/../box' })
  t.equal(outside.read('meminfo'), SAMPLE_MEMINFO)
})

t.test("cgroup file systems may be mounted anywhere, v1's by two names together", async t => {
  const tenant = unified(t, {}, { cgroups: '2:cpu,cpuacct:/quota\n0::/ctr\n' })
  tenant.set({
    'proc/self/mountinfo':
      '20 1 8:1 / / rw - ext4 /dev/sda1 rw\n' +
      '30 20 0:30 / /cg\\040two rw - cgroup2 none rw\n' +
      '31 20 0:31 / /one/cpu-and-more rw - cgroup none rw,cpuacct,cpu\n' +
      '32 20 0:32 /part /one/part rw - cgroup none rw,memory\n',
    'cg two/cgroup.controllers': 'memory cpuset',
    'cg two/ctr/memory.max': 256 * MiB,
    'cg two/ctr/memory.current': 0,
    'one/cpu-and-more/quota/cpu.cfs_quota_us': 300000,
    'one/cpu-and-more/quota/cpu.cfs_period_us': 100000,
  })
  tenant.reopen({})
  t.equal(read(tenant).MemTotal, 262144)
  t.equal(tenant.read('online'), '0-2\n')
})

t.test('an operator may show another cgroup, such as the parent', async t => {
  const files = { ...memory('/pod', 512), ...memory('/pod/ctr', 256) }
  const tenant = unified(t, files, { path: '/pod/ctr', options: { cgroup: '/pod' } })
  t.equal(read(tenant).MemTotal, 524288)
  tenant.reopen({})
  t.equal(read(tenant).MemTotal, 262144)
})

/** What is registered of a container `abc123` whose init is in `path` by now. */
function registered(t: Test, path: string): string | undefined {
  const tenant = unified(t, {}, { path })
  mkdirSync(join(tenant.machine.directory, 'rootfs'))
  return readContainer(tenant.machine, 'abc123', { pid: INIT, rootfs: '/rootfs' }).cgroups['']
}

t.test('a container that runs already is found above where its init went', async t => {
  for (const [path, expected] of [
    ['/machine.slice/abc123', '/machine.slice/abc123'],
    ['/machine.slice/abc123/init.scope', '/machine.slice/abc123'],
    ['/other/init.scope', '/other'],
    [
      '/machine.slice/libpod-abc123.scope/container/init.scope',
      '/machine.slice/libpod-abc123.scope',
    ],
    ['/docker/abc123/init', '/docker/abc123'],
    ['/docker/other/init', '/docker/other/init'],
    ['/docker/abc123/app', '/docker/abc123/app'],
  ] as const) {
    t.equal(registered(t, path), expected, path)
  }
})

t.test('two containers in one pid namespace have their own views', async t => {
  const first = unified(
    t,
    { ...memory('/pod/a', 256), ...memory('/pod/b', 512) },
    { path: '/pod/a' },
  )
  const second = unified(
    t,
    {
      ...memory('/pod/a', 256),
      ...memory('/pod/b', 512),
      [`proc/${INIT}/status`]: `Name:\tapp\nNSpid:\t${INIT}\t17\n`,
    },
    { path: '/pod/b', ageSeconds: 7 },
  )
  t.equal(read(first).MemTotal, 262144)
  t.equal(read(second).MemTotal, 524288)
  t.match(second.read('uptime'), /^7\.00 /, 'its own init, not that of the namespace')
})
