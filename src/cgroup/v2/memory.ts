/** The memory controller of the unified hierarchy: cgroup-v2.rst, "Memory". */

import { FlatKeyed } from '../flat-keyed.ts'
import type { Group } from '../group.ts'
import {
  countMemory,
  findLimit,
  Memory,
  type MemoryReader,
  type MemoryUsage,
  parseBytes,
  STAT_CELLS,
  type StatName,
  type Swap,
} from '../memory.ts'

export class MemoryV2 implements MemoryReader {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  read(): Memory | undefined {
    const levels = this.#group.levels()
    const limit = findLimit(levels, 'memory.max')
    const counted = countMemory(memory, levels, limit.level, readUsage)
    if (counted === undefined) return undefined
    memory.limitBytes = limit.bytes
    memory.swap = readSwap(levels, counted)
    return memory
  }
}

/** What was read last. */
const memory = new Memory()

function readUsage(group: Group, usage: MemoryUsage): boolean {
  const usageBytes = parseBytes(group.bytes('memory.current'))
  if (usageBytes === undefined) return false
  usage.usageBytes = usageBytes
  usage.stat.fill(0)
  const stat = group.bytes('memory.stat')
  if (stat !== undefined) STAT.parse(stat, usage.stat)
  return true
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
