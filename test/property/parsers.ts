/** All that parses what the kernel says, by name, and texts as the kernel gives them. */

import { findCpus } from '../../src/cgroup/cpuset.ts'
import { FlatKeyed } from '../../src/cgroup/flat-keyed.ts'
import { parseCgroupPaths, parseHierarchies } from '../../src/cgroup/hierarchy.ts'
import { parseBlkio, parseIoStat } from '../../src/cgroup/io.ts'
import { parseBytes } from '../../src/cgroup/memory.ts'
import {
  findCount,
  parseCount,
  parseCountBytes,
  parseNanoseconds,
} from '../../src/cgroup/numbers.ts'
import { parsePerCpu, parseUsageAll } from '../../src/cgroup/v1/cpuacct.ts'
import { parseCpuMax, parseCpuStat } from '../../src/cgroup/v2/cpu.ts'
import { type Bytes, bytesOf } from '../../src/host/directory-file.ts'
import { eachMount } from '../../src/host/mountinfo.ts'
import { parseInnermostPid, parseTaskState } from '../../src/host/proc-pid.ts'
import { NO_TIME } from '../../src/proc/cpu/time.ts'
import { limitCpuinfo, parseCpuinfo } from '../../src/proc/cpuinfo.ts'
import { parseDiskstats, parsePartitions } from '../../src/proc/disk/host-disks.ts'
import { countColumns } from '../../src/proc/diskstats.ts'
import { parseFields } from '../../src/proc/lines.ts'
import { makeFields } from '../../src/proc/memory/fields.ts'
import { HostMeminfo } from '../../src/proc/memory/host-meminfo.ts'
import { HostVmstat } from '../../src/proc/memory/host-vmstat.ts'
import { limitSlabinfo } from '../../src/proc/slabinfo.ts'
import { limitStat, parseHostCpus } from '../../src/proc/stat.ts'
import { limitSwaps } from '../../src/proc/swaps.ts'
import { toCpuTimes } from '../machines/cpu-times.ts'
import { hostFiles, SMALL_HOST } from './hosts.ts'
import { HEALTHY_LEVEL, KINDS, treeFiles } from './trees.ts'

const HOST_TEXTS = Object.values(hostFiles(SMALL_HOST))
const TREE_TEXTS = KINDS.flatMap(kind =>
  Object.values(treeFiles({ kind, levels: [HEALTHY_LEVEL], threads: 'R' })),
)
/** Texts of a kernel that is well. */
export const GOOD_TEXTS = [...new Set([...HOST_TEXTS, ...TREE_TEXTS])].filter(
  text => typeof text === 'string',
)

const CPUS = { effective: [0, 2], count: 2, quotaCpus: 2 }
const NO_TIMES = toCpuTimes({ total: NO_TIME, cpus: [NO_TIME] })

export const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  findCount: text => findCount(text, 'usage_usec'),
  parseCount,
  parseNanoseconds,
  findCpus,
  parseCgroupPaths,
  parseHierarchies: text => parseHierarchies(text, () => text),
  parseBlkio,
  parseIoStat,
  parseCountBytes: text => parseCountBytes(bytesOf(text)),
  parseBytes: text => parseBytes(bytesOf(text)),
  parseFlatKeyed,
  limitMeminfo,
  parsePerCpu,
  parseUsageAll: text => parseUsageAll(bytesOf(text)),
  parseCpuMax: text => parseCpuMax(bytesOf(text)),
  parseCpuStat,
  parseInnermostPid,
  parseTaskState,
  eachMount: text => eachMount(text, () => undefined),
  parseCpuinfo,
  limitCpuinfo: text => limitCpuinfo(text, CPUS, { topology: 'openeuler' }),
  parseDiskstats,
  countColumns,
  parseFields,
  parsePartitions,
  limitSlabinfo,
  parseHostCpus,
  limitStat: text => limitStat(bytesOf(text), NO_TIMES, { running: 1, blocked: 0 }),
  limitVmstat,
  limitSwaps: text => limitSwaps(text, { totalKib: 4, freeKib: 0, usedKib: 4, mostCachedKib: 0 }),
}

/** One for all texts, as a server has it. */
const KEYED = new FlatKeyed(new Map([['anon', 0]]))

function parseFlatKeyed(text: string): number[] {
  const counts = new Float64Array(1)
  KEYED.parse(textBytes(text), counts)
  return [...counts]
}

const MEMINFO = new HostMeminfo()
let version = 0

function limitMeminfo(text: string): number[] {
  MEMINFO.update({ ...textBytes(text), version: ++version })
  return parseFields(MEMINFO.render(makeFields()).toString()).map(({ value }) => value)
}

const VMSTAT = new HostVmstat(key => (key.startsWith('nr_') ? 0 : undefined), new Set(['nr_dirty']))

function limitVmstat(text: string): number[] {
  VMSTAT.update({ ...textBytes(text), version: ++version })
  VMSTAT.render(new Float64Array(1))
  return [VMSTAT.pages]
}

function textBytes(text: string): Bytes {
  const buffer = Buffer.from(text)
  return { buffer, length: buffer.length }
}

/** All numbers of a parser's value. */
export function numbersIn(value: unknown): number[] {
  if (typeof value === 'number') return [value]
  if (value instanceof Map) return [...value].flatMap(numbersIn)
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(numbersIn)
}
