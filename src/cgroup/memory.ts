/**
 * Memory of a container, whatever its cgroups' version. All quantities are bytes, and those of a cgroup include its
 * descendants'. The reader of these limits lowers them to the host's: only it knows what the host has.
 */

import type { Bytes } from '../host/directory-file.ts'
import type { Group } from './group.ts'
import type { EventCounts } from './memory-events.ts'
import type { NumaStat } from './numa-stat.ts'
import { parseCountBytes } from './numbers.ts'

/** What memory.stat counts, under names of our own: v1 and v2 name and cut these differently. */
const STAT_NAMES = [
  'anonBytes',
  // The page cache: shmem is in it, and the swap cache.
  'fileBytes',
  'swapCachedBytes',
  'activeAnonBytes',
  'inactiveAnonBytes',
  'activeFileBytes',
  'inactiveFileBytes',
  'unevictableBytes',
  'shmemBytes',
  'mappedBytes',
  'dirtyBytes',
  'writebackBytes',
  'slabReclaimableBytes',
  'slabUnreclaimableBytes',
  'kernelStackBytes',
  'pageTablesBytes',
  'secPageTablesBytes',
  'percpuBytes',
  'vmallocBytes',
  'zswapBytes',
  'zswappedBytes',
  'anonHugeBytes',
  'shmemHugeBytes',
  'fileHugeBytes',
  // These are only in v1's, and are not about usage: see v1/memory.ts.
  'memoryLimitBytes',
  'memswLimitBytes',
  'swapBytes',
] as const

export type StatName = (typeof STAT_NAMES)[number]

/** Where each count is in `MemoryUsage.stat`. */
export const STAT_CELLS = Object.fromEntries(STAT_NAMES.map((name, i) => [name, i])) as Readonly<
  Record<StatName, number>
>

/** What one cgroup uses. */
export class MemoryUsage {
  usageBytes = 0
  /** Counts of memory.stat, at STAT_CELLS; those that the kernel does not give are 0, as are those that make no sense. */
  readonly stat = new Float64Array(STAT_NAMES.length)
  /** The cgroup whose counts were read, where the reader has to know it. */
  statGroup: Group | undefined

  copyFrom({ usageBytes, stat }: MemoryUsage): this {
    this.usageBytes = usageBytes
    this.stat.set(stat)
    return this
  }
}

/** What the kernel can take back without swapping. */
export function reclaimableBytes({ usageBytes, stat }: MemoryUsage): number {
  const fileBytes =
    (stat[STAT_CELLS.activeFileBytes] ?? 0) + (stat[STAT_CELLS.inactiveFileBytes] ?? 0)
  return Math.min(fileBytes + (stat[STAT_CELLS.slabReclaimableBytes] ?? 0), usageBytes)
}

/** A reader fills one object at every reading, of whichever container: who keeps the answer makes a copy. */
export class Memory {
  /** The smallest limit of the container's own cgroup and its ancestors, `Infinity` when none has one. */
  limitBytes = Number.POSITIVE_INFINITY
  /** What may still be used before a cgroup at any level is throttled for its memory.high; `Infinity` without one. */
  unthrottledBytes = Number.POSITIVE_INFINITY
  /** What is used where the container's own cgroup counts it. */
  readonly ownUsage = new MemoryUsage()
  /** What is used at another level. */
  readonly levelUsage = new MemoryUsage()
  /** The container's own cgroup; `undefined` when memory is not counted there, but only at `level`. */
  own: MemoryUsage | undefined
  /** The lowest cgroup that sets `limitBytes`: what is free there is free for the container. */
  level: MemoryUsage = this.ownUsage
  /** `undefined` when the kernel does not count swap by cgroup. */
  swap: Readonly<Swap> | undefined
  /** The cgroup of v1 that may have a list of its caches. */
  cachesGroup: Group | undefined

  /** Text of v1's memory.kmem.slabinfo, read when asked for. */
  slabinfo(): string | undefined {
    return this.cachesGroup?.read('memory.kmem.slabinfo')
  }

  copyFrom({ limitBytes, unthrottledBytes, own, level, swap, cachesGroup }: Memory): this {
    this.limitBytes = limitBytes
    this.unthrottledBytes = unthrottledBytes
    this.own = own && this.ownUsage.copyFrom(own)
    this.level = level === own ? this.ownUsage : this.levelUsage.copyFrom(level)
    this.swap = swap
    this.cachesGroup = cachesGroup
    return this
  }
}

export interface MemoryReader {
  /** `undefined` when the cgroup cannot tell: the host's files are then all there is to show. */
  read(): Memory | undefined
  /** What is returned holds until the events of another cgroup are read. */
  events(): EventCounts
  /** `undefined` where the kernel does not count by node. */
  numaStat(): NumaStat | undefined
}

export interface Swap {
  /** How much may be in swap, `Infinity` without a limit; 0 when nothing more may be swapped out. */
  limitBytes: number
  /** v1's limit on memory and swap together; under v2 the same as `limitBytes`. */
  memswLimitBytes: number
  /** Swap that the container uses. */
  usedBytes: number
  /** Swap in use below the ancestor that sets the limit, `undefined` when the limit is the container's own. */
  levelUsedBytes: number | undefined
}

/** A number of bytes; `undefined` for anything else, and for 2^53 and more, which no machine has. */
export function parseBytes(text: Bytes | undefined): number | undefined {
  const bytes = parseCountBytes(text)
  return bytes !== undefined && bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined
}

/**
 * A limit in bytes. `Infinity` stands for all that limits nothing: `max`, v1's nearly 2^63 (which number it is depends
 * on the page size), and a file that is not there.
 */
export function parseLimit(text: Bytes | undefined): number {
  return parseBytes(text) ?? Number.POSITIVE_INFINITY
}

/**
 * A limit and the lowest cgroup that has it. `level` is `undefined` when no cgroup has a limit, or none of those we
 * see.
 */
export interface Limit {
  bytes: number
  level: Group | undefined
}

/**
 * The smallest limit that `file` sets at any of `levels`, which go from the container's own upwards.
 * `binds` tells whether an ancestor's limit holds for the cgroups below it.
 */
export function findLimit(
  levels: readonly Group[],
  file: string,
  binds: (ancestor: Group) => boolean = () => true,
): Limit {
  const limit: Limit = { bytes: Number.POSITIVE_INFINITY, level: undefined }
  for (const level of levels) {
    const bytes = parseLimit(level.bytes(file))
    if (bytes >= limit.bytes) continue
    if (level !== levels[0] && !binds(level)) break
    limit.bytes = bytes
    limit.level = level
  }
  return limit
}

/**
 * Sets the usage of the container's cgroup, the first of `levels`, and of the one that limits it. A cgroup below which
 * the controller is not enabled counts nothing. The nearest ancestor that counts may speak for it only when it also
 * sets the limit: otherwise its usage is mostly that of others. Returns the cgroup that speaks for the container.
 *
 * `readUsage` returns false where a cgroup counts nothing.
 */
export function countMemory(
  memory: Memory,
  levels: readonly Group[],
  limiting: Group | undefined,
  readUsage: (group: Group, usage: MemoryUsage) => boolean,
): Group | undefined {
  const { ownUsage, levelUsage } = memory
  for (const group of levels) {
    const isOwn = group === levels[0]
    const usage = isOwn ? ownUsage : levelUsage
    if (!readUsage(group, usage)) continue
    memory.own = isOwn ? usage : undefined
    memory.level = usage
    if (!isOwn) return group === limiting ? group : undefined
    if (limiting !== undefined && limiting !== group && readUsage(limiting, levelUsage)) {
      memory.level = levelUsage
    }
    return group
  }
  return undefined
}
