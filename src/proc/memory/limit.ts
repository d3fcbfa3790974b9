/**
 * The container's memory and swap, within the host's. meminfo, swaps and slabinfo start from these, so that they agree.
 */

import type { Memory, MemoryUsage } from '../../cgroup/memory.ts'
import type { Options } from '../options.ts'

export interface LimitedMemory {
  totalBytes: number
  /** What may still be used before the kernel slows the container down; `Infinity` where nothing does that. */
  unthrottledBytes: number
  /** Usage of the container's own cgroup. */
  own: MemoryUsage
  /** Usage of the cgroup that sets the limit: what is left of the limit is shared with all that is counted there. */
  level: MemoryUsage
}

/** The swap a container sees, in kibibytes: `freeKib` and `usedKib` are at most `totalKib`. */
export interface LimitedSwap {
  totalKib: number
  freeKib: number
  /** Swap that the container itself uses. */
  usedKib: number
  /** What may be in the swap cache: no more than is in use, unless the kernel counts only the cache. */
  mostCachedKib: number
}

/**
 * `undefined` when there is nothing to limit by: no MemTotal, or memory that is counted only in an ancestor
 * which leaves the container the whole host.
 */
export function limitMemory(
  hostTotalKib: number | undefined,
  memory: Pick<Memory, 'limitBytes' | 'unthrottledBytes' | 'own' | 'level'>,
): LimitedMemory | undefined {
  if (hostTotalKib === undefined) return undefined
  const hostBytes = hostTotalKib * 1024
  const { unthrottledBytes } = memory
  if (memory.limitBytes >= hostBytes) {
    const { own } = memory
    return own && { totalBytes: hostBytes, unthrottledBytes, own, level: own }
  }
  const own = memory.own ?? memory.level
  // ps divides by MemTotal, so a limit of nothing shows as what is used in spite of it.
  const totalBytes =
    memory.limitBytes < 1024 ? Math.max(own.usageBytes, PAGE_BYTES) : memory.limitBytes
  const { level } = memory
  return { totalBytes: Math.min(totalBytes, hostBytes), unthrottledBytes, own, level }
}

/**
 * Swap in use beyond the limit, which stays there after the limit was lowered, counts into the total. Without
 * accounting no swap is shown: nobody can know how much of the host's is the container's. With `clampFreeToHost` what
 * others have in swap is not free.
 */
export function limitSwap(
  host: { totalKib: number | undefined; freeKib: number | undefined },
  memory: Pick<Memory, 'swap'>,
  options: Pick<Options, 'swap' | 'v1SwapTotal' | 'clampFreeToHost'>,
): LimitedSwap {
  const { swap } = memory
  if (options.swap === 'off') return NO_SWAP
  if (swap === undefined) return { ...NO_SWAP, mostCachedKib: Number.POSITIVE_INFINITY }
  const limitBytes = options.v1SwapTotal === 'memsw' ? swap.memswLimitBytes : swap.limitBytes
  const hostBytes = (host.totalKib ?? 0) * 1024
  const totalBytes = Math.min(Math.max(limitBytes, swap.usedBytes), hostBytes)
  const usedBytes = Math.min(swap.usedBytes, totalBytes)
  const sharedFreeBytes = Math.max(limitBytes - (swap.levelUsedBytes ?? 0), 0)
  const totalKib = kib(totalBytes)
  const leftKib = kib(Math.min(totalBytes - usedBytes, sharedFreeBytes))
  const freeKib = options.clampFreeToHost === 'on' ? Math.min(leftKib, host.freeKib ?? 0) : leftKib
  return { totalKib, freeKib, usedKib: kib(usedBytes), mostCachedKib: totalKib - freeKib }
}

const NO_SWAP: LimitedSwap = { totalKib: 0, freeKib: 0, usedKib: 0, mostCachedKib: 0 }

export const kib = (bytes: number) => Math.floor(bytes / 1024)

/** The smallest page size that there is. */
const PAGE_BYTES = 4096
