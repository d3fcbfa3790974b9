/**
 * A container's memory under the names of /proc/meminfo, in kibibytes. MemFree, Cached and SReclaimable are
 * kept apart from each other and within MemTotal: `free` subtracts all of them from it, while the counters
 * behind them are read at different moments and memory.stat lags up to two seconds behind the usage.
 */

import type { MemoryUsage } from '../../cgroup/memory.ts'
import { kib, type LimitedMemory } from './limit.ts'

export function memoryFields({ totalBytes, own, level }: LimitedMemory) {
  const { stat } = own
  const freeBytes = Math.max(totalBytes - level.usageBytes, 0)
  const availableBytes = Math.min(freeBytes + reclaimableBytes(level), totalBytes)
  const usedBytes = Math.min(own.usageBytes, totalBytes - freeBytes)
  const slabReclaimableBytes = Math.min(stat.slabReclaimableBytes, usedBytes)
  // Buffers is 0: a cgroup counts a block device's pages as file pages.
  const cachedBytes = Math.min(
    Math.max(stat.fileBytes - stat.swapCachedBytes, 0),
    usedBytes - slabReclaimableBytes,
  )
  const activeAnon = kib(stat.activeAnonBytes)
  const inactiveAnon = kib(stat.inactiveAnonBytes)
  const activeFile = kib(stat.activeFileBytes)
  const inactiveFile = kib(stat.inactiveFileBytes)
  const slabReclaimable = kib(slabReclaimableBytes)
  const slabUnreclaimable = kib(stat.slabUnreclaimableBytes)
  return {
    MemTotal: kib(totalBytes),
    MemFree: kib(freeBytes),
    MemAvailable: kib(availableBytes),
    Buffers: 0,
    Cached: kib(cachedBytes),
    SwapCached: kib(stat.swapCachedBytes),
    Active: activeAnon + activeFile,
    Inactive: inactiveAnon + inactiveFile,
    'Active(anon)': activeAnon,
    'Inactive(anon)': inactiveAnon,
    'Active(file)': activeFile,
    'Inactive(file)': inactiveFile,
    Unevictable: kib(stat.unevictableBytes),
    // Only 32-bit kernels have these lines: they show no high memory, all of it is low.
    HighTotal: 0,
    HighFree: 0,
    LowTotal: kib(totalBytes),
    LowFree: kib(freeBytes),
    Zswap: kib(Math.min(stat.zswapBytes, usedBytes)),
    Zswapped: kib(stat.zswappedBytes),
    Dirty: kib(stat.dirtyBytes),
    Writeback: kib(stat.writebackBytes),
    AnonPages: kib(stat.anonBytes),
    Mapped: kib(stat.mappedBytes),
    Shmem: kib(Math.min(stat.shmemBytes, cachedBytes)),
    KReclaimable: slabReclaimable,
    Slab: slabReclaimable + slabUnreclaimable,
    SReclaimable: slabReclaimable,
    SUnreclaim: slabUnreclaimable,
    KernelStack: kib(stat.kernelStackBytes),
    PageTables: kib(stat.pageTablesBytes),
    SecPageTables: kib(stat.secPageTablesBytes),
    NFS_Unstable: 0,
    Bounce: 0,
    WritebackTmp: 0,
    VmallocUsed: kib(stat.vmallocBytes),
    Percpu: kib(stat.percpuBytes),
    HardwareCorrupted: 0,
    AnonHugePages: kib(stat.anonHugeBytes),
    ShmemHugePages: kib(stat.shmemHugeBytes),
    ShmemPmdMapped: 0,
    FileHugePages: kib(stat.fileHugeBytes),
    FilePmdMapped: 0,
    CmaTotal: 0,
    CmaFree: 0,
    Unaccepted: 0,
    Balloon: 0,
  }
}

/** What the kernel can take back without swapping. */
function reclaimableBytes({ usageBytes, stat }: MemoryUsage): number {
  const bytes = stat.activeFileBytes + stat.inactiveFileBytes + stat.slabReclaimableBytes
  return Math.min(bytes, usageBytes)
}
