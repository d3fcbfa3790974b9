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
  Memory,
  type MemoryReader,
  MemoryUsage,
  parseBytes,
  STAT_CELLS,
  type StatName,
  type Swap,
} from '../memory.ts'
import { type EventCounts, EventReader } from '../memory-events.ts'
import { type NumaStat, readNumaStat } from '../numa-stat.ts'
import { parseCountBytes } from '../numbers.ts'

export class MemoryV1 implements MemoryReader {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  read(): Memory | undefined {
    for (const usage of USAGES) usage.statGroup = undefined
    const levels = this.#group.levels()
    const kernelBytes = statOf(this.#group, memory.ownUsage)[STAT_CELLS.memoryLimitBytes] ?? 0
    const limit = readLimit(levels, 'memory.limit_in_bytes', kernelBytes)
    const counted = countMemory(memory, levels, limit.level, readUsage)
    if (counted === undefined) return undefined
    memory.limitBytes = limit.bytes
    memory.swap = readSwap(levels, counted, limit.bytes)
    memory.cachesGroup = this.#group
    return memory
  }

  events(): EventCounts {
    return EVENTS.read(this.#group)
  }

  numaStat(): NumaStat | undefined {
    return readNumaStat(this.#group)
  }
}

/** Killed processes are counted without those of the descendants: memcg_memory_event() of include/linux/memcontrol.h. */
const EVENTS = new EventReader('total_', 'memory.oom_control')

/** What was read last. */
const memory = new Memory()

/** Of the container's own cgroup, of the one that limits memory, and of one that limits only swap. */
const USAGES = [memory.ownUsage, memory.levelUsage, new MemoryUsage()] as const

/**
 * Counts of memory.stat. What was read in this reading is not read again, as it would be another moment's; what was not
 * is read into `usage`.
 */
function statOf(group: Group, usage: MemoryUsage = USAGES[2]): Float64Array {
  for (const known of USAGES) if (known.statGroup === group) return known.stat
  const { stat } = usage
  usage.statGroup = group
  stat.fill(0)
  stat[STAT_CELLS.memoryLimitBytes] = Number.POSITIVE_INFINITY
  stat[STAT_CELLS.memswLimitBytes] = Number.POSITIVE_INFINITY
  stat[STAT_CELLS.swapBytes] = Number.NaN
  const bytes = group.bytes('memory.stat')
  if (bytes !== undefined) STAT.parse(bytes, stat)
  return stat
}

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
  return parseCountBytes(ancestor.bytes('memory.use_hierarchy')) !== 0
}

function readUsage(group: Group, usage: MemoryUsage): boolean {
  const usageBytes = parseBytes(group.bytes('memory.usage_in_bytes'))
  if (usageBytes === undefined) return false
  usage.usageBytes = usageBytes
  // v1 does not tell how much of the kernel's memory can be reclaimed, so none of it is promised.
  const kernelBytes = parseBytes(group.bytes('memory.kmem.usage_in_bytes')) ?? 0
  statOf(group, usage)[STAT_CELLS.slabUnreclaimableBytes] = kernelBytes
  return true
}

function readSwap(
  levels: readonly Group[],
  counted: Group,
  memoryLimitBytes: number,
): Swap | undefined {
  const usedBytes = readSwapUsed(counted)
  if (usedBytes === undefined) return undefined
  // A cgroup with swappiness 0 swaps nothing out, whatever its limit.
  if (parseCountBytes(counted.bytes('memory.swappiness')) === 0) {
    return { limitBytes: 0, memswLimitBytes: 0, usedBytes, levelUsedBytes: undefined }
  }
  const { bytes: memswLimitBytes, level } = readLimit(
    levels,
    'memory.memsw.limit_in_bytes',
    statOf(counted)[STAT_CELLS.memswLimitBytes] ?? 0,
  )
  const unlimited = memswLimitBytes === Number.POSITIVE_INFINITY
  return {
    limitBytes: unlimited ? memswLimitBytes : Math.max(memswLimitBytes - memoryLimitBytes, 0),
    memswLimitBytes,
    usedBytes,
    levelUsedBytes: level === undefined || level === counted ? undefined : readSwapUsed(level),
  }
}

/**
 * `undefined` without memory.memsw.*, which only `swapaccount=1` gives: newer kernels have the lines of memory.stat on
 * swap in any case. `total_swap` is exact; the usage
 * counters are batched per CPU, so that their difference is not and may even be negative.
 */
function readSwapUsed(group: Group): number | undefined {
  const memswUsageBytes = parseBytes(group.bytes('memory.memsw.usage_in_bytes'))
  if (memswUsageBytes === undefined) return undefined
  const swapBytes = statOf(group)[STAT_CELLS.swapBytes] ?? Number.NaN
  if (!Number.isNaN(swapBytes)) return swapBytes
  const usageBytes = parseBytes(group.bytes('memory.usage_in_bytes')) ?? memswUsageBytes
  return Math.max(memswUsageBytes - usageBytes, 0)
}

const STAT_KEYS: readonly (readonly [key: string, name: StatName])[] = [
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
]

const STAT = new FlatKeyed(new Map(STAT_KEYS.map(([key, name]) => [key, STAT_CELLS[name]])))
