/** Machines of several kernel generations, whose own files are as consistent as a kernel's are. */

import fc from 'fast-check'
import { renderCpuList } from '../../src/cgroup/cpuset.ts'
import { type Field, parseFields } from '../../src/proc/lines.ts'
import { renderFields } from '../machines/fields.ts'
import {
  SAMPLE_HOST,
  SAMPLE_MEMINFO,
  SAMPLE_SLABINFO,
  SAMPLE_VMSTAT,
} from '../machines/sample-host.ts'
import { CPUINFO } from './cpuinfo-text.ts'
import type { Files } from './memory-host.ts'

/** What changed in the text of /proc between kernels. */
const KERNELS = ['3.10', '4.19', '5.10', '6.12'] as const

interface HostShape {
  kernel: (typeof KERNELS)[number]
  arch: keyof typeof CPUINFO
  cpus: number
  /** Numbers below `cpus`; if all are named the first one stays online. */
  offline: readonly number[]
  totalKib: number
  /** Thousandths of what is left after the one before: free, buffers, cached, slab, shmem. */
  memory: readonly [number, number, number, number, number]
  swapKib: number
  swapUsedPermille: number
  /** Of each disk counter. */
  diskCount: number
  hugePages: number
}

const permille = fc.integer({ min: 0, max: 1000 })

/** Hundreds of CPUs are dear, and differ little from a few. */
const cpus = fc.oneof(
  { weight: 200, arbitrary: fc.integer({ min: 1, max: 8 }) },
  { weight: 4, arbitrary: fc.integer({ min: 9, max: 64 }) },
  { weight: 1, arbitrary: fc.integer({ min: 65, max: 512 }) },
)

export const anyHost: fc.Arbitrary<HostShape> = fc.record({
  kernel: fc.constantFrom(...KERNELS),
  arch: fc.constantFrom(...(Object.keys(CPUINFO) as (keyof typeof CPUINFO)[])),
  cpus,
  offline: fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 3 }),
  totalKib: fc.oneof(
    fc.integer({ min: 4, max: 2 ** 20 }),
    fc.integer({ min: 2 ** 20, max: 2 ** 40 }),
  ),
  memory: fc.tuple(permille, permille, permille, permille, permille),
  swapKib: fc.oneof(fc.constant(0), fc.integer({ min: 4, max: 2 ** 36 })),
  swapUsedPermille: permille,
  diskCount: fc.oneof(fc.nat(1000), fc.nat(2 ** 40)),
  hugePages: fc.oneof(fc.constant(0), fc.nat(2 ** 16)),
})

export const SMALL_HOST: HostShape = {
  kernel: '6.12',
  arch: 'x86_64',
  cpus: 4,
  offline: [],
  totalKib: 16_384_000,
  memory: [500, 100, 500, 500, 500],
  swapKib: 4_194_304,
  swapUsedPermille: 500,
  diskCount: 1_000_000,
  hugePages: 8,
}

export function onlineCpus({ cpus, offline }: Pick<HostShape, 'cpus' | 'offline'>): number[] {
  const all = Array.from({ length: cpus }, (_, cpu) => cpu)
  const online = all.filter(cpu => !offline.includes(cpu))
  return online.length === 0 ? [0] : online
}

export function hostFiles(shape: HostShape): Files {
  const online = onlineCpus(shape)
  const possible = shape.cpus === 1 ? '0\n' : `0-${shape.cpus - 1}\n`
  return {
    ...cpuFiles(shape, online),
    'proc/meminfo': meminfo(shape),
    'proc/swaps': swaps(shape),
    'proc/slabinfo': SAMPLE_SLABINFO,
    'proc/vmstat': SAMPLE_VMSTAT,
    'proc/uptime': SAMPLE_HOST['proc/uptime'],
    'proc/loadavg': SAMPLE_HOST['proc/loadavg'],
    'proc/diskstats': diskstats(shape.kernel, shape.diskCount),
    'proc/partitions': SAMPLE_HOST['proc/partitions'],
    'proc/sys/vm/overcommit_kbytes': shape.kernel === '3.10' ? undefined : '0\n',
    'proc/sys/vm/overcommit_ratio': '50\n',
    'sys/devices/system/cpu/possible': possible,
    'sys/devices/system/cpu/present': possible,
    ...pressure(shape.kernel),
  }
}

/** Those that change when a CPU goes online or offline. */
export function cpuFiles({ arch }: Pick<HostShape, 'arch'>, online: readonly number[]): Files {
  return {
    'proc/cpuinfo': CPUINFO[arch](online),
    'proc/stat': hostStat(online, 100_000),
    'sys/devices/system/cpu/online': `${renderCpuList(online)}\n`,
    'sys/devices/system/cpu/offline': '\n',
  }
}

/** `ticks` of user time on each CPU. */
export function hostStat(online: readonly number[], ticks: number): string {
  const lines = online.map(cpu => `cpu${cpu} ${ticks + cpu} 10 600 160000 50 0 20 3 0 0\n`)
  return (
    `cpu  ${ticks * online.length} 80 4800 1280000 400 0 160 9 0 0\n${lines.join('')}` +
    'intr 2609465 0 9 0\nctxt 6685310\nbtime 1795412392\nprocesses 22328\nprocs_running 5\n' +
    'procs_blocked 2\nsoftirq 381933 0 42233 7 14368 128696 0 3 106338 0 90288\n'
  )
}

/** The number of columns is the kernel's. */
export function diskstats(kernel: HostShape['kernel'], count: number): string {
  const columns = kernel === '3.10' ? 11 : kernel === '4.19' ? 15 : 17
  const row = (device: string, value: number) => `${device}${` ${value}`.repeat(columns)}\n`
  return (
    row('   8       0 sda', count) +
    row('   8       1 sda1', count) +
    row('   8      16 sdb', Math.floor(count / 2)) +
    row(' 253       0 dm-0', 7)
  )
}

const H1_FIELDS = parseFields(SAMPLE_MEMINFO)

/** The first kernel of those above that has the line. */
const LATER_KEYS: Readonly<Record<string, number>> = {
  MemAvailable: 1,
  KReclaimable: 2,
  ShmemHugePages: 1,
  ShmemPmdMapped: 1,
  FileHugePages: 2,
  FilePmdMapped: 2,
  Percpu: 1,
  Hugetlb: 1,
  Zswap: 3,
  Zswapped: 3,
  SecPageTables: 3,
  Unaccepted: 3,
  Balloon: 3,
}

function meminfo({ kernel, totalKib, memory, swapKib, swapUsedPermille, hugePages }: HostShape) {
  const generation = KERNELS.indexOf(kernel)
  let left = totalKib
  const [free = 0, buffers = 0, cached = 0, slab = 0] = memory.slice(0, 4).map(part => {
    const taken = Math.floor((left / 1000) * part)
    left -= taken
    return taken
  })
  const swapUsed = Math.floor((swapKib * swapUsedPermille) / 1000)
  const values: Readonly<Record<string, number>> = {
    MemTotal: totalKib,
    MemFree: free,
    MemAvailable: Math.min(free + buffers + cached, totalKib),
    Buffers: buffers,
    Cached: cached,
    SwapCached: Math.floor(swapUsed / 3),
    Shmem: Math.floor((cached * memory[4]) / 1000),
    KReclaimable: slab,
    SReclaimable: slab,
    Slab: slab + 1000,
    SwapTotal: swapKib,
    SwapFree: swapKib - swapUsed,
    HugePages_Total: hugePages,
    HugePages_Free: Math.floor(hugePages / 2),
  }
  const fields: Field[] = H1_FIELDS.filter(({ key }) => (LATER_KEYS[key] ?? 0) <= generation).map(
    field => ({ ...field, value: values[field.key] ?? field.value }),
  )
  if (generation === 3) fields.push({ key: 'LaterKernelsLine', value: 2 ** 41, unit: ' kB' })
  return renderFields(fields)
}

function swaps({ kernel, swapKib, swapUsedPermille }: HostShape): string {
  const tabs = kernel === '6.12' || kernel === '5.10' ? '\t\t' : '\t'
  const header = `Filename\t\t\t\tType\t\tSize${tabs}Used${tabs}Priority\n`
  if (swapKib === 0) return header
  const used = Math.floor((swapKib * swapUsedPermille) / 1000)
  return `${header}${'/dev/sda2'.padEnd(40)}partition\t${swapKib}\t${used}\t-2\n`
}

function pressure(kernel: HostShape['kernel']): Files {
  if (kernel === '3.10' || kernel === '4.19') return {}
  const some = 'some avg10=0.12 avg60=1.34 avg300=0.05 total=1234567\n'
  const full = 'full avg10=0.00 avg60=0.00 avg300=0.00 total=987\n'
  return {
    'proc/pressure/cpu': kernel === '5.10' ? some : some + full,
    'proc/pressure/io': some + full,
    'proc/pressure/memory': some + full,
    'proc/pressure/irq': kernel === '6.12' ? full : undefined,
  }
}
