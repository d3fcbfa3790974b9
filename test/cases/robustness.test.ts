/** Files read in odd ways, and cgroup files that are damaged or cannot be read. */

import { constants } from 'node:fs'
import t from 'tap'
import { EACCES } from '../../src/fuse/errno.ts'
import { FILES } from '../../src/proc/files.ts'
import {
  numbers,
  SAMPLE_HOST,
  SAMPLE_MEMINFO,
  SAMPLE_MEMORY_STAT,
} from '../machines/sample-host.ts'
import { Reader } from './reader.ts'
import { type Files, INIT, legacy, type Tenant, unified } from './tenant.ts'

const GiB = 2 ** 30
const PSI = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n'
const MEMORY: Files = {
  '/ctr/memory.max': GiB,
  '/ctr/memory.current': 314572800,
  '/ctr/memory.stat': SAMPLE_MEMORY_STAT,
}
const ALL: Files = {
  ...MEMORY,
  '/ctr/memory.swap.max': 268435456,
  '/ctr/memory.swap.current': 10485760,
  '/ctr/hugetlb.2MB.max': 6291456,
  '/ctr/hugetlb.2MB.current': 2097152,
  '/ctr/cpu.max': '150000 100000',
  '/ctr/cpu.stat': 'usage_usec 40000000\nuser_usec 30000000\nsystem_usec 10000000\n',
  '/ctr/cpuset.cpus.effective': '2-3',
  '/ctr/io.stat': '8:0 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n',
  '/ctr/cgroup.threads': '101\n102\n',
  '/ctr/cpu.pressure': PSI,
  '/ctr/io.pressure': PSI,
  '/ctr/memory.pressure': PSI,
  '/ctr/irq.pressure': PSI,
  'proc/101/stat': '101 (a) R 1 2\n',
  'proc/102/stat': '102 (b) D 1 2\n',
  'proc/cpuinfo': Array.from({ length: 8 }, (_, i) => `processor\t: ${i}\n\n`).join(''),
  'proc/pressure/cpu': PSI.replace('5', '9'),
  'proc/pressure/io': PSI.replace('5', '9'),
  'proc/pressure/memory': PSI.replace('5', '9'),
  'proc/pressure/irq': PSI.replace('5', '9'),
  [`proc/${INIT}/mountinfo`]: '5 1 8:0 / / rw - ext4 /dev/sda rw\n',
}
const readAll = (tenant: Tenant) => FILES.map(({ path }) => [path, tenant.read(path)] as const)

t.test('reads of one byte give what one read gives', async t => {
  const reader = new Reader(unified(t, MEMORY), 'proc/meminfo')
  const fh = reader.open()
  const text = reader.read(fh, 0, 65_536)
  t.match(text, /^MemTotal: +1048576 kB\n/)
  t.equal(reader.readAll(fh, 1), text)
  t.equal(reader.readAll(fh, 777), text)
})

t.test('at the end and beyond there is nothing, and no error', async t => {
  const tenant = unified(t, MEMORY)
  const reader = new Reader(tenant, 'proc/meminfo')
  const fh = reader.open()
  const { length } = reader.read(fh, 0, 65_536)
  t.equal(reader.read(fh, length - 1, 4096), '\n')
  t.equal(reader.read(fh, length, 4096), '')
  t.equal(reader.read(fh, length + 100, 4096), '')
  tenant.set({ '/ctr/memory.max': 2 * GiB })
  t.match(reader.read(fh, 0, 4096), /^MemTotal: +2097152 kB\n/, 'at 0 it is read anew')
})

t.test('an open file goes on with what it began with', async t => {
  const tenant = unified(t, MEMORY)
  const reader = new Reader(tenant, 'proc/meminfo')
  const [open, other] = [reader.open(), reader.open()]
  const text = reader.read(open, 0, 65_536)
  tenant.set({ '/ctr/memory.max': 2 * GiB })
  t.equal(reader.read(open, 10, 65_536), text.slice(10))
  t.match(reader.read(other, 0, 4096), /^MemTotal: +2097152 kB\n/)
  t.match(reader.read(open, 0, 4096), /^MemTotal: +2097152 kB\n/)
})

t.test('a first read from the middle gives the middle', async t => {
  const tenant = unified(t, MEMORY)
  const reader = new Reader(tenant, 'proc/meminfo')
  t.equal(reader.read(reader.open(), 28, 27), 'MemFree:          741376 kB'.slice(0, 27))
})

t.test('no file has a size, and none opens for writing', async t => {
  const tenant = unified(t, ALL)
  for (const { path } of FILES) {
    const reader = new Reader(tenant, path)
    t.equal(reader.size(), 0, path)
    t.equal(reader.open(constants.O_RDWR), -EACCES)
    t.equal(reader.open(constants.O_WRONLY), -EACCES)
  }
})

t.test('a machine of 512 CPUs has whole files', async t => {
  const cpu = (i: number) => `processor\t: ${i}\nflags\t\t: ${'abc '.repeat(100)}\n\n`
  const cpuinfo = Array.from({ length: 512 }, (_, i) => cpu(i)).join('')
  const intr = `intr 1${' 0'.repeat(60_000)}\n`
  const tenant = unified(t, {
    'sys/devices/system/cpu/online': '0-511',
    'sys/devices/system/cpu/possible': '0-511',
    'proc/cpuinfo': cpuinfo,
    'proc/stat': `cpu  0 0 0 0 0 0 0 0 0 0\n${intr}btime 1\n`,
    '/ctr/cpu.stat': 'user_usec 1\nsystem_usec 1\n',
  })
  for (const path of ['proc/cpuinfo', 'proc/stat']) {
    const reader = new Reader(tenant, path)
    const text = reader.readAll(reader.open(), 4096)
    t.ok(text.length > 128 * 1024)
    t.equal(text, tenant.read(path))
    t.ok(text.endsWith('\n') && !text.includes('\0'))
  }
  t.equal(tenant.read('cpuinfo'), cpuinfo)
  t.equal(tenant.read('stat').match(/^cpu\d+ /gm)?.length, 512)
  t.ok(tenant.read('stat').includes(intr))
})

t.test('a missing last newline and blanks at the ends of lines change nothing', async t => {
  const neat = readAll(unified(t, ALL))
  const cgroupFiles = Object.entries(ALL).filter(
    ([path]) => path.startsWith('/') && !path.endsWith('.pressure'),
  )
  for (const change of [
    (text: string) => text.replace(/\n$/, ''),
    (text: string) => `${text.replace(/\n$/, '')} \n`,
    (text: string) => text.replace(/(?<!^)$/gm, ' '),
  ]) {
    const tenant = unified(t, ALL)
    for (const [path, value] of cgroupFiles) {
      tenant.machine.set({ [`sys/fs/cgroup${path}`]: change(`${value}`) })
    }
    t.same(readAll(tenant), neat)
  }
})

/** A directory opens, but reading it is an error: EISDIR here, as EIO or ENODEV on a machine. */
function breakFile(tenant: Tenant, path: string): void {
  tenant.set({ [path]: undefined, [`${path}/x`]: '' })
}

const CPU_FILES = [
  'proc/cpuinfo',
  'proc/stat',
  'sys/devices/system/cpu/online',
  'sys/devices/system/cpu/offline',
]
const MEMORY_FILES = ['proc/meminfo', 'proc/slabinfo', 'proc/swaps', 'proc/vmstat']

for (const [file, changed] of [
  ['memory.current', MEMORY_FILES],
  ['memory.max', ['proc/meminfo', 'proc/vmstat']],
  ['memory.stat', ['proc/meminfo', 'proc/vmstat']],
  ['memory.swap.current', ['proc/meminfo', 'proc/swaps', 'proc/vmstat']],
  ['cpu.max', [...CPU_FILES, 'proc/uptime']],
  ['cpu.stat', ['proc/stat', 'proc/uptime', 'proc/loadavg']],
  ['cpuset.cpus.effective', [...CPU_FILES, 'proc/uptime']],
  ['io.stat', ['proc/diskstats', 'proc/vmstat']],
  ['cgroup.threads', ['proc/loadavg', 'proc/stat']],
  ['io.pressure', ['proc/pressure/io']],
] as const) {
  t.test(`a ${file} that cannot be read changes only what it says`, async t => {
    const whole = new Map(readAll(unified(t, ALL)))
    const tenant = unified(t, ALL)
    breakFile(tenant, `/ctr/${file}`)
    for (const [path, text] of readAll(tenant)) {
      if (!(changed as readonly string[]).includes(path)) t.equal(text, whole.get(path), path)
      t.ok(text.endsWith('\n'), path)
    }
  })
}

t.test('what cannot be read is shown as the host has it', async t => {
  const tenant = unified(t, ALL)
  for (const file of ['memory.current', 'cgroup.threads', 'io.pressure', 'cpuset.cpus.effective']) {
    breakFile(tenant, `/ctr/${file}`)
  }
  t.equal(tenant.read('meminfo'), SAMPLE_MEMINFO)
  t.equal(tenant.read('loadavg'), SAMPLE_HOST['proc/loadavg'])
  t.equal(tenant.read('pressure/io'), PSI.replace('5', '9'))
  t.equal(tenant.read('offline'), '2-7\n', 'the quota still counts')
})

t.test(
  'a usage that cannot be read for once is idle, and made good for by the next read',
  async t => {
    const tenant = unified(t, ALL)
    tenant.read('stat')
    tenant.advance(10)
    breakFile(tenant, '/ctr/cpu.stat')
    const [broken] = tenant.lines('stat', 'cpu')
    tenant.advance(10)
    tenant.set({ '/ctr/cpu.stat/x': undefined, '/ctr/cpu.stat': undefined })
    tenant.set({ '/ctr/cpu.stat': 'user_usec 36000000\nsystem_usec 10000000\n' })
    const [whole] = tenant.lines('stat', 'cpu')
    t.equal(broken, 'cpu  3000 0 1000 18000 0 0 0 0 0 0')
    t.equal(whole, 'cpu  3600 0 1000 19400 0 0 0 0 0 0')
  },
)

t.test('damaged numbers are none', async t => {
  const tenant = unified(t, {
    ...ALL,
    '/ctr/memory.max': 'maximum',
    '/ctr/cpu.max': '1e5 x',
    '/ctr/cpuset.cpus.effective': '3-1',
    '/ctr/io.stat': '8:0 rios=-3 rbytes=1e9\n:: x=1\n',
    '/ctr/memory.stat': 'anon -5\nfile 1.5\n\nshmem\n',
  })
  t.match(numbers(tenant.read('meminfo')), { MemTotal: 16384000, AnonPages: 0, Cached: 0 })
  t.equal(tenant.read('online'), '0-7\n')
  t.match(tenant.read('diskstats'), / sda( 0){17}\n/)
})

t.test('numbers of 2^53 and more limit nothing', async t => {
  const tenant = legacy(t, {
    '/ctr/memory.limit_in_bytes': '9007199254740993',
    '/ctr/memory.usage_in_bytes': 4096,
    '/ctr/memory.memsw.limit_in_bytes': '18446744073709551615',
    '/ctr/memory.memsw.usage_in_bytes': 4096,
  })
  t.match(numbers(tenant.read('meminfo')), { MemTotal: 16384000, SwapTotal: 4194304 })
})

t.test('all files together keep what readers rely on', async t => {
  const tenant = unified(t, ALL)
  const seen = numbers(tenant.read('meminfo'))
  const n = (key: string) => seen[key] ?? Number.NaN
  t.ok(n('MemFree') + n('Buffers') + n('Cached') + n('SReclaimable') <= n('MemTotal'))
  t.ok(n('MemAvailable') <= n('MemTotal'))
  t.ok(n('SwapFree') <= n('SwapTotal'))
  t.ok(n('Shmem') <= n('Cached'))
  for (const [path, text] of readAll(tenant)) {
    t.notMatch(text, /\0|NaN|undefined|Infinity|-\d{3}/, path)
    t.match(text, /[^\n]\n{1,2}$/, path)
  }
})
