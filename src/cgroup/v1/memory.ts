/**
 * The memory hierarchy of cgroup v1: cgroup-v1/memory.rst. In memory.stat the plain keys are of one cgroup
 * alone; `total_` ones include its descendants.
 */

import { FlatKeyed } from '../flat-keyed.ts'
import type { Group } from '../group.ts'
import {
  countMemory,
  findLimit,
  type Limit,
  type Memory,
  type MemoryReader,
  type MemoryStat,
  type MemoryUsage,
  NO_MEMORY,
  parseBytes,
  type Swap,
} from '../memory.ts'

export class MemoryV1 implements MemoryReader {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  read(): Memory | undefined {
    const levels = this.#group.levels()
    const ownStat = readStat(this.#group)
    const statOf = (group: Group) => (group === this.#group ? ownStat : readStat(group))
    const limit = readLimit(levels, 'memory.limit_in_bytes', ownStat.memoryLimitBytes)
    const counted = countMemory(levels, limit.level, group => readUsage(group, statOf))
    if (counted === undefined) return undefined
    return {
      limitBytes: limit.bytes,
      own: counted.own,
      level: counted.level,
      swap: readSwap(levels, counted.group, limit.bytes, statOf),
      slabinfo: () => this.#group.read('memory.kmem.slabinfo'),
    }
  }
}

interface Stat extends MemoryStat {
  /** Of the cgroup and its ancestors; `Infinity` without a limit. */
  memoryLimitBytes: number
  memswLimitBytes: number
  /** `NaN` where the kernel does not tell. */
  swapBytes: number
}

const NO_STAT: Stat = {
  ...NO_MEMORY,
  memoryLimitBytes: Number.POSITIVE_INFINITY,
  memswLimitBytes: Number.POSITIVE_INFINITY,
  swapBytes: Number.NaN,
}

/** Gives memory.stat: what is read once must not be read again, it would be another moment's. */
type StatOf = (group: Group) => Stat

const readStat: StatOf = group => STAT_KEYS.parse(group.read('memory.stat') ?? '', { ...NO_STAT })

/**
 * The kernel's own minimum, `kernelBytes`, is in memory.stat. It knows of ancestors that we do not see; the files know
 * which cgroup it is that limits.
 */
function readLimit(levels: readonly Group[], file: string, kernelBytes: number): Limit {
  const limit = findLimit(levels, file, bindsDescendants)
  return kernelBytes < limit.bytes ? { bytes: kernelBytes, level: undefined } : limit
}

/** Before Linux 5.11 a cgroup with memory.use_hierarchy 0 neither counts nor limits those below it. */
function bindsDescendants(ancestor: Group): boolean {
  return ancestor.read('memory.use_hierarchy')?.trim() !== '0'
}

function readUsage(group: Group, statOf: StatOf): MemoryUsage | undefined {
  const usageBytes = parseBytes(group.read('memory.usage_in_bytes'))
  if (usageBytes === undefined) return undefined
  // v1 does not tell how much of the kernel's memory can be reclaimed, so none of it is promised.
  const slabUnreclaimableBytes = parseBytes(group.read('memory.kmem.usage_in_bytes')) ?? 0
  return { usageBytes, stat: { ...statOf(group), slabUnreclaimableBytes } }
}

function readSwap(
  levels: readonly Group[],
  counted: Group,
  memoryLimitBytes: number,
  statOf: StatOf,
): Swap | undefined {
  const usedBytes = readSwapUsed(counted, statOf)
  if (usedBytes === undefined) return undefined
  // A cgroup with swappiness 0 swaps nothing out, whatever its limit.
  if (counted.read('memory.swappiness')?.trim() === '0') {
    return { limitBytes: 0, memswLimitBytes: 0, usedBytes, levelUsedBytes: undefined }
  }
  const { bytes: memswLimitBytes, level } = readLimit(
    levels,
    'memory.memsw.limit_in_bytes',
    statOf(counted).memswLimitBytes,
  )
  const unlimited = memswLimitBytes === Number.POSITIVE_INFINITY
  return {
    limitBytes: unlimited ? memswLimitBytes : Math.max(memswLimitBytes - memoryLimitBytes, 0),
    memswLimitBytes,
    usedBytes,
    levelUsedBytes:
      level === undefined || level === counted ? undefined : readSwapUsed(level, statOf),
  }
}

/**
 * `undefined` without memory.memsw.*, which only `swapaccount=1` gives. `total_swap` is exact; the usage
 * counters are batched per CPU, so that their difference is not and may even be negative.
 */
function readSwapUsed(group: Group, statOf: StatOf): number | undefined {
  const memswUsageBytes = parseBytes(group.read('memory.memsw.usage_in_bytes'))
  if (memswUsageBytes === undefined) return undefined
  const { swapBytes } = statOf(group)
  if (!Number.isNaN(swapBytes)) return swapBytes
  const usageBytes = parseBytes(group.read('memory.usage_in_bytes')) ?? memswUsageBytes
  return Math.max(memswUsageBytes - usageBytes, 0)
}

const STAT_KEYS = new FlatKeyed<keyof Stat>(
  new Map([
    ['hierarchical_memory_limit', 'memoryLimitBytes'],
    ['hierarchical_memsw_limit', 'memswLimitBytes'],
    ['total_swap', 'swapBytes'],
    ['total_rss', 'anonBytes'],
    ['total_cache', 'fileBytes'],
    ['total_swapcached', 'swapCachedBytes'],
    ['total_active_anon', 'activeAnonBytes'],
    ['total_inactive_anon', 'inactiveAnonBytes'],
    ['total_active_file', 'activeFileBytes'],
    ['total_inactive_file', 'inactiveFileBytes'],
    ['total_unevictable', 'unevictableBytes'],
    ['total_shmem', 'shmemBytes'],
    ['total_mapped_file', 'mappedBytes'],
    ['total_dirty', 'dirtyBytes'],
    ['total_writeback', 'writebackBytes'],
    ['total_rss_huge', 'anonHugeBytes'],
  ]),
)
