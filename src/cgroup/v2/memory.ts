/** The memory controller of the unified hierarchy: cgroup-v2.rst, "Memory". */

import { FlatKeyed } from '../flat-keyed.ts'
import type { Group } from '../group.ts'
import {
  countMemory,
  findLimit,
  Memory,
  type MemoryReader,
  MemoryUsage,
  parseBytes,
  reclaimableBytes,
  STAT_CELLS,
  type StatName,
  type Swap,
} from '../memory.ts'
import { type EventCounts, EventReader } from '../memory-events.ts'
import { type NumaStat, readNumaStat } from '../numa-stat.ts'
import { readHigh } from './memory-high.ts'

export class MemoryV2 implements MemoryReader {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  read(): Memory | undefined {
    memory.ownUsage.statGroup = undefined
    memory.levelUsage.statGroup = undefined
    const levels = this.#group.levels()
    const limit = findLimit(levels, 'memory.max')
    const counted = countMemory(memory, levels, limit.level, readUsage)
    if (counted === undefined) return undefined
    memory.limitBytes = limit.bytes
    memory.swap = readSwap(levels, counted)
    memory.unthrottledBytes = readUnthrottled(levels, limit.bytes)
    return memory
  }

  events(): EventCounts {
    return EVENTS.read(this.#group)
  }

  numaStat(): NumaStat | undefined {
    return readNumaStat(this.#group)
  }
}

const EVENTS = new EventReader('', 'memory.events')

/** What was read last. */
const memory = new Memory()

function readUsage(group: Group, usage: MemoryUsage): boolean {
  const usageBytes = parseBytes(group.bytes('memory.current'))
  if (usageBytes === undefined) return false
  usage.usageBytes = usageBytes
  usage.statGroup = group
  readStat(group, usage)
  return true
}

function readStat(group: Group, { stat }: MemoryUsage): void {
  stat.fill(0)
  const bytes = group.bytes('memory.stat')
  if (bytes !== undefined) STAT.parse(bytes, stat)
}

/**
 * What is left of the memory.high of each level, and what the kernel can take back there. Of a level that has more left
 * than the limit allows, or than another level, memory.stat is not read: the kernel adds up all CPUs' counters for it.
 */
function readUnthrottled(levels: readonly Group[], limitBytes: number): number {
  let bytes = Number.POSITIVE_INFINITY
  for (const level of levels) {
    const highBytes = readHigh(level, level === levels[0])
    if (highBytes === Number.POSITIVE_INFINITY) continue
    const usage = usageOf(level)
    if (usage === undefined) continue
    const leftBytes = Math.max(highBytes - usage.usageBytes, 0)
    if (leftBytes >= Math.min(bytes, limitBytes)) continue
    if (usage === otherUsage) readStat(level, usage)
    bytes = Math.min(bytes, leftBytes + reclaimableBytes(usage))
  }
  return bytes
}

/** What a level uses that is neither the container's own nor the one with the limit. */
const otherUsage = new MemoryUsage()

/** Usage that was read in this reading is not read again, as it would be another moment's. */
function usageOf(level: Group): MemoryUsage | undefined {
  for (const usage of [memory.ownUsage, memory.levelUsage]) {
    if (usage.statGroup === level) return usage
  }
  const usageBytes = parseBytes(level.bytes('memory.current'))
  if (usageBytes === undefined) return undefined
  otherUsage.usageBytes = usageBytes
  return otherUsage
}

/** memory.swap.* is there only with CONFIG_SWAP and without `swapaccount=0`; never in the root. */
function readSwap(levels: readonly Group[], counted: Group): Swap | undefined {
  const usedBytes = readSwapUsed(counted)
  if (usedBytes === undefined) return undefined
  const { bytes, level } = findLimit(levels, 'memory.swap.max')
  return {
    limitBytes: bytes,
    memswLimitBytes: bytes,
    usedBytes,
    levelUsedBytes: level === undefined || level === counted ? undefined : readSwapUsed(level),
  }
}

function readSwapUsed(group: Group): number | undefined {
  return parseBytes(group.bytes('memory.swap.current'))
}

const STAT_KEYS: readonly (readonly [key: string, name: StatName])[] = [
  ['anon', 'anonBytes'],
  ['file', 'fileBytes'],
  ['swapcached', 'swapCachedBytes'],
  ['active_anon', 'activeAnonBytes'],
  ['inactive_anon', 'inactiveAnonBytes'],
  ['active_file', 'activeFileBytes'],
  ['inactive_file', 'inactiveFileBytes'],
  ['unevictable', 'unevictableBytes'],
  ['shmem', 'shmemBytes'],
  ['file_mapped', 'mappedBytes'],
  ['file_dirty', 'dirtyBytes'],
  ['file_writeback', 'writebackBytes'],
  ['slab_reclaimable', 'slabReclaimableBytes'],
  ['slab_unreclaimable', 'slabUnreclaimableBytes'],
  ['kernel_stack', 'kernelStackBytes'],
  ['pagetables', 'pageTablesBytes'],
  ['sec_pagetables', 'secPageTablesBytes'],
  ['percpu', 'percpuBytes'],
  ['vmalloc', 'vmallocBytes'],
  ['zswap', 'zswapBytes'],
  ['zswapped', 'zswappedBytes'],
  ['anon_thp', 'anonHugeBytes'],
  ['shmem_thp', 'shmemHugeBytes'],
  ['file_thp', 'fileHugeBytes'],
]

const STAT = new FlatKeyed(new Map(STAT_KEYS.map(([key, name]) => [key, STAT_CELLS[name]])))
