/**
 * Memory of a container, whatever its cgroups' version. All quantities are bytes, and those of a cgroup include its
 * descendants'. The reader of these limits lowers them to the host's: only it knows what the host has.
 */

import type { FlatKeyed } from './flat-keyed.ts'
import type { Group } from './group.ts'
import { parseCount } from './numbers.ts'

export interface Memory {
  /** The smallest limit of the container's own cgroup and its ancestors, `Infinity` when none has one. */
  limitBytes: number
  /** The container's own cgroup; `undefined` when memory is not counted there, but only at `level`. */
  own: MemoryUsage | undefined
  /** The lowest cgroup that sets `limitBytes`: what is free there is free for the container. */
  level: MemoryUsage
  /** `undefined` when the kernel does not count swap by cgroup. */
  swap: Swap | undefined
  /** Text of v1's memory.kmem.slabinfo, read when asked for. */
  slabinfo(): string | undefined
}

export interface MemoryReader {
  /** `undefined` when the cgroup cannot tell: the host's files are then all there is to show. */
  read(): Memory | undefined
}

export interface MemoryUsage {
  usageBytes: number
  stat: MemoryStat
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

/** What memory.stat counts, under names of our own: v1 and v2 name and cut these differently. */
export type MemoryStat = Record<keyof typeof NO_MEMORY, number>

export const NO_MEMORY = {
  anonBytes: 0,
  /** The page cache: shmem is in it, and the swap cache. */
  fileBytes: 0,
  swapCachedBytes: 0,
  activeAnonBytes: 0,
  inactiveAnonBytes: 0,
  activeFileBytes: 0,
  inactiveFileBytes: 0,
  unevictableBytes: 0,
  shmemBytes: 0,
  mappedBytes: 0,
  dirtyBytes: 0,
  writebackBytes: 0,
  slabReclaimableBytes: 0,
  slabUnreclaimableBytes: 0,
  kernelStackBytes: 0,
  pageTablesBytes: 0,
  secPageTablesBytes: 0,
  percpuBytes: 0,
  vmallocBytes: 0,
  zswapBytes: 0,
  zswappedBytes: 0,
  anonHugeBytes: 0,
  shmemHugeBytes: 0,
  fileHugeBytes: 0,
}

/** Which count a key of memory.stat is. */
export type StatKeys = FlatKeyed<keyof MemoryStat>

/** Counts that the kernel does not give are 0, as are those that make no sense. */
export function parseMemoryStat(text: string, keys: StatKeys): MemoryStat {
  return keys.parse(text, { ...NO_MEMORY })
}

/** A number of bytes; `undefined` for anything else, and for 2^53 and more, which no machine has. */
export function parseBytes(text: string | undefined): number | undefined {
  const bytes = parseCount(text)
  return bytes !== undefined && bytes <= Number.MAX_SAFE_INTEGER ? bytes : undefined
}

/**
 * A limit in bytes. `Infinity` stands for all that limits nothing: `max`, v1's nearly 2^63 (which number it is depends
 * on the page size), and a file that is not there.
 */
export function parseLimit(text: string | undefined): number {
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
    const bytes = parseLimit(level.read(file))
    if (bytes >= limit.bytes) continue
    if (level !== levels[0] && !binds(level)) break
    limit.bytes = bytes
    limit.level = level
  }
  return limit
}

/** Where a container's memory is counted. */
interface CountedMemory extends Pick<Memory, 'own' | 'level'> {
  /** The cgroup that speaks for the container. */
  group: Group
}

/**
 * Usage of the container's cgroup, the first of `levels`, and of the one that limits it. A cgroup below which the
 * controller is not enabled counts nothing. The nearest ancestor that counts may speak for it only when it also sets
 * the limit: otherwise its usage is mostly that of others.
 */
export function countMemory(
  levels: readonly Group[],
  limiting: Group | undefined,
  readUsage: (level: Group) => MemoryUsage | undefined,
): CountedMemory | undefined {
  for (const group of levels) {
    const usage = readUsage(group)
    if (usage === undefined) continue
    if (group !== levels[0]) {
      return group === limiting ? { group, own: undefined, level: usage } : undefined
    }
    const level = limiting === undefined || limiting === group ? usage : readUsage(limiting)
    return { group, own: usage, level: level ?? usage }
  }
  return undefined
}
