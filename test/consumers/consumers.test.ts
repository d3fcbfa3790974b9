/** The checkers take what kernels write, and refuse what each consumer is known to stumble over. */

import { readFileSync } from 'node:fs'
import t from 'tap'
import { SAMPLE_HOST, SAMPLE_MEMINFO } from '../machines/sample-host.ts'
import { checkCpuCounts, checkFile } from './files.ts'
import { getNprocs } from './glibc.ts'
import { readCpus } from './libuv.ts'

const STAT = SAMPLE_HOST['proc/stat'] ?? ''
const DISKSTATS = SAMPLE_HOST['proc/diskstats'] ?? ''
const SWAPS = SAMPLE_HOST['proc/swaps'] ?? ''
const SLABINFO = SAMPLE_HOST['proc/slabinfo'] ?? ''
const VMSTAT = SAMPLE_HOST['proc/vmstat'] ?? ''
const PRESSURE = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n'

t.test('a usual host can be read', async t => {
  const others = {
    'proc/pressure/io': PRESSURE,
    'proc/partitions': 'major minor  #blocks  name\n\n',
    'proc/diskstats': '',
    'sys/devices/system/cpu/offline': '\n',
  }
  for (const [path, text] of [...Object.entries(SAMPLE_HOST), ...Object.entries(others)]) {
    if (/sys\/vm|cpu\/present/.test(path)) continue
    t.doesNotThrow(() => checkFile(path, text), path)
  }
  for (const name of ['x86_64', 'aarch64', 'arm', 'riscv64', 'ppc64le', 'loongarch64', 's390x']) {
    const text = readFileSync(`fixtures/cpuinfo/${name}`, 'utf8')
    t.doesNotThrow(() => checkFile('proc/cpuinfo', text), name)
  }
})

t.test('a file that nobody is known to read is a mistake', async t => {
  t.throws(() => checkFile('proc/zoneinfo', 'x 1\n'), { message: /Cannot check proc\/zoneinfo/ })
})

/** Who cannot read what, by file. */
const REFUSED: readonly (readonly [path: string, who: RegExp, text: string])[] = [
  ['proc/meminfo', /anybody/, ''],
  ['proc/meminfo', /anybody .* last line/, SAMPLE_MEMINFO.trimEnd()],
  ['proc/meminfo', /anybody .* last line/, `${SAMPLE_MEMINFO}\n`],
  ['proc/meminfo', /NUL/, `${SAMPLE_MEMINFO}\0\n`],
  ['proc/meminfo', /anybody/, meminfo('MemFree', 'NaN')],
  ['proc/meminfo', /anybody/, meminfo('MemFree', '1e+21')],
  ['proc/meminfo', /anybody/, meminfo('MemFree', '-128')],
  ['proc/meminfo', /64-bit/, meminfo('VmallocTotal', '18446744073709551616')],
  ['proc/meminfo', /ps .*divides/, meminfo('MemTotal', '0')],
  ['proc/meminfo', /free 4/, meminfo('MemAvailable', '16384001')],
  ['proc/meminfo', /free 3/, meminfo('SReclaimable', '9000000')],
  ['proc/meminfo', /free .*swap/, meminfo('SwapFree', '4194305')],
  ['proc/meminfo', /KeyError MemFree/, SAMPLE_MEMINFO.replace(/^MemFree.*\n/m, '')],
  ['proc/meminfo', /prometheus .*unit/, SAMPLE_MEMINFO.replace('8000000 kB', '8000000 KB')],
  ['proc/meminfo', /prometheus .*3 words/, SAMPLE_MEMINFO.replace('8000000 kB', '8000000 kB x')],
  ['proc/meminfo', /htop .*Shmem/, meminfo('Shmem', '4300000')],
  ['proc/meminfo', /htop .*SwapCached/, meminfo('SwapCached', '194305')],
  ['proc/meminfo', /libuv .*MemAvailable/, SAMPLE_MEMINFO.replace('12000000 kB', '12000000')],
  ['proc/meminfo', /busybox .*Buffers/, SAMPLE_MEMINFO.replace(/^Buffers.*\n/m, '')],
  ['proc/stat', /top .*first line/, STAT.slice(STAT.indexOf('\n') + 1)],
  ['proc/stat', /ps .*btime/, STAT.replace(/^btime.*\n/m, '')],
  ['proc/stat', /vmstat .*procs_blocked/, STAT.replace(/^procs_blocked.*\n/m, '')],
  ['proc/stat', /psutil .*10 CPU times/, STAT.replace(/^(cpu3 .*) 0$/m, '$1')],
  ['proc/stat', /prometheus .*softirq/, STAT.replace(/ 90288$/m, '')],
  ['proc/stat', /prometheus .*CPU number/, STAT.replace('cpu3 ', 'cpux ')],
  ['proc/stat', /glibc/, STAT.replace(/^cpu\d.*\n/gm, '')],
  ['proc/stat', /htop .*first/, STAT.replace(/^intr.*\n/m, '').replace(/^cpu3/m, 'intr 5\ncpu3')],
  ['proc/diskstats', /vmstat -d/, '8 0 sda 1 2 3\n'],
  ['proc/diskstats', /psutil .*line/, DISKSTATS.replace(/^( +8 +16 .*) 0 0 0$/m, '$1')],
  ['proc/diskstats', /vmstat -d|psutil/, DISKSTATS.replace(' sdb ', ' ')],
  ['proc/diskstats', /psutil .*name/, DISKSTATS.replace(' sdb ', ' 17 ')],
  ['proc/swaps', /prometheus .*heading/, SWAPS.slice(SWAPS.indexOf('\n') + 1)],
  ['proc/swaps', /prometheus .*row/, SWAPS.replace('\t-2', '')],
  ['proc/slabinfo', /slabtop .*version/, SLABINFO.slice(SLABINFO.indexOf('\n') + 1)],
  ['proc/slabinfo', /slabtop .*cache/, SLABINFO.replace(/0 : slabdata(?= +\d)/, '0 slabdata')],
  ['proc/slabinfo', /prometheus .*16 words/, `${SLABINFO.trimEnd()} 7\n`],
  ['proc/vmstat', /vmstat .*line/, VMSTAT.replace(/^nr_mlock /m, 'nr_mlock  ')],
  ['proc/vmstat', /vmstat .*pswpout/, VMSTAT.replace(/^pswpout.*\n/m, '')],
  ['proc/vmstat', /sar .*pgfree/, VMSTAT.replace(/^pgfree.*\n/m, '')],
  ['proc/pressure/io', /prometheus/, PRESSURE.replace('avg60', 'avg61')],
  ['proc/pressure/cpu', /prometheus/, PRESSURE.replace('total=1', 'total=')],
  ['proc/cpuinfo', /prometheus/, 'bogomips: 5\n'],
  ['proc/loadavg', /w cannot/, '0.00 0.00 1/3 5\n'],
  ['proc/uptime', /uptime/, '12.00\n'],
  ['proc/uptime', /mpstat/, '12.0 13.00\n'],
  ['proc/partitions', /fdisk .*heading/, '   8        0  268435456 sda\n'],
  ['proc/partitions', /fdisk .*partition/, 'major minor  #blocks  name\n\n   8 0 sda\n'],
  ['sys/devices/system/cpu/online', /glibc/, 'x\n'],
]

function meminfo(key: string, value: string): string {
  return SAMPLE_MEMINFO.replace(new RegExp(`^(${key}: +)\\d+`, 'm'), `$1${value}`)
}

t.test('what a consumer stumbles over is refused, and says who does', async t => {
  for (const [path, who, text] of REFUSED) {
    t.throws(() => checkFile(path, text), { message: who }, `${path}: ${who.source}`)
  }
})

t.test('glibc counts in the list, and in stat where it is none', async t => {
  t.equal(getNprocs('0-3,8\n', STAT), 5)
  t.equal(getNprocs('\n', STAT), 8)
  t.equal(getNprocs('0-\n', ''), 0)
  t.equal(getNprocs('', 'cpu  1\ncpu0 1\nintr 1\ncpu1 1\n'), 1)
})

t.test('libuv stops at the first line that is no CPU', async t => {
  t.same(readCpus(STAT), [0, 1, 2, 3, 4, 5, 6, 7])
  t.same(readCpus('cpu  1 2 3 4 5 6\ncpu4 1 2 3 4 5 6\ncpu5 1 2\n'), [4])
})

t.test('files that count CPUs differently are found', async t => {
  const cpuinfo = Array.from({ length: 8 }, (_, cpu) => `processor\t: ${cpu}\n\n`).join('')
  const texts = (change: Readonly<Record<string, string>> = {}) =>
    new Map(Object.entries({ ...SAMPLE_HOST, 'proc/cpuinfo': cpuinfo, ...change }))
  t.doesNotThrow(() => checkCpuCounts(texts()))
  const online = { 'sys/devices/system/cpu/online': '0-6\n' }
  t.throws(() => checkCpuCounts(texts(online)), { message: /glibc by stat/ })
  const short = { 'proc/cpuinfo': cpuinfo.replace('processor\t: 7\n\n', '') }
  t.throws(() => checkCpuCounts(texts(short)), { message: /records of cpuinfo/ })
  const named = cpuinfo.replaceAll('\n\n', '\nmodel name\t: x\n\n')
  const renamed = { 'proc/cpuinfo': named.replace('processor\t: 7', 'processor\t: 9') }
  t.throws(() => checkCpuCounts(texts(renamed)), { message: /libuv .*model of CPU 7/ })
})
