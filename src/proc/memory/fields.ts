/**
 * A container's memory under the names of /proc/meminfo, in kibibytes. MemFree, Cached and SReclaimable are
 * kept apart from each other and within MemTotal: `free` subtracts all of them from it, while the counters
 * behind them are read at different moments and memory.stat lags up to two seconds behind the usage.
 */

import { reclaimableBytes, STAT_CELLS, type StatName } from '../../cgroup/memory.ts'
import { kib, type LimitedMemory } from './limit.ts'

/** Lines that show what a cgroup counts, as it is. */
const COUNTED = {
  SwapCached: 'swapCachedBytes',
  'Active(anon)': 'activeAnonBytes',
  'Inactive(anon)': 'inactiveAnonBytes',
  'Active(file)': 'activeFileBytes',
  'Inactive(file)': 'inactiveFileBytes',
  Unevictable: 'unevictableBytes',
  Zswapped: 'zswappedBytes',
  Dirty: 'dirtyBytes',
  Writeback: 'writebackBytes',
  AnonPages: 'anonBytes',
  Mapped: 'mappedBytes',
  SUnreclaim: 'slabUnreclaimableBytes',
  KernelStack: 'kernelStackBytes',
  PageTables: 'pageTablesBytes',
  SecPageTables: 'secPageTablesBytes',
  VmallocUsed: 'vmallocBytes',
  Percpu: 'percpuBytes',
  AnonHugePages: 'anonHugeBytes',
  ShmemHugePages: 'shmemHugeBytes',
  FileHugePages: 'fileHugeBytes',
} as const satisfies Record<string, StatName>

/** Lines that are made of several numbers. */
const MADE = [
  ...['MemTotal', 'MemFree', 'MemAvailable', 'Cached', 'Active', 'Inactive'],
  ...['LowTotal', 'LowFree', 'Zswap', 'Shmem', 'KReclaimable', 'Slab', 'SReclaimable'],
  ...['Mlocked', 'SwapTotal', 'SwapFree', 'CommitLimit', 'Committed_AS'],
  ...['HugePages_Total', 'HugePages_Free', 'HugePages_Rsvd', 'HugePages_Surp', 'Hugetlb'],
] as const

/** Lines that are always 0. */
const NOTHING = [
  // A cgroup counts a block device's pages as file pages.
  'Buffers',
  // Only kernels with high memory have these: a container has none of it, and all of its memory is low.
  ...['HighTotal', 'HighFree'],
  ...['NFS_Unstable', 'Bounce', 'WritebackTmp', 'HardwareCorrupted'],
  ...['ShmemPmdMapped', 'FilePmdMapped', 'CmaTotal', 'CmaFree', 'Unaccepted', 'Balloon'],
]

type Key = keyof typeof COUNTED | (typeof MADE)[number]

const KEYS = [...Object.keys(COUNTED), ...MADE, ...NOTHING]

/** Where the value of a line is in `Fields`, by the line's key. */
export const FIELD_CELLS: ReadonlyMap<string, number> = new Map(KEYS.map((key, i) => [key, i]))

/** The same for the keys that are set by name. */
export const FIELD = Object.fromEntries(FIELD_CELLS) as Readonly<Record<Key, number>>

/** What a container sees, at FIELD_CELLS; NaN where that is what the host has. */
export const makeFields = () => new Float64Array(KEYS.length)

const COUNTED_CELLS = Object.entries(COUNTED).map(([key, name]) => ({
  field: FIELD[key as Key],
  cell: STAT_CELLS[name],
}))

/** Sets what is known from memory alone. */
export function setMemoryFields(
  fields: Float64Array,
  { totalBytes, unthrottledBytes, own, level }: LimitedMemory,
): void {
  const { stat } = own
  for (const { field, cell } of COUNTED_CELLS) fields[field] = kib(stat[cell] ?? 0)
  const freeBytes = Math.max(totalBytes - level.usageBytes, 0)
  const availableBytes = Math.min(freeBytes + reclaimableBytes(level), totalBytes, unthrottledBytes)
  const usedBytes = Math.min(own.usageBytes, totalBytes - freeBytes)
  const slabReclaimableBytes = Math.min(stat[STAT_CELLS.slabReclaimableBytes] ?? 0, usedBytes)
  const fileBytes = (stat[STAT_CELLS.fileBytes] ?? 0) - (stat[STAT_CELLS.swapCachedBytes] ?? 0)
  const cachedBytes = Math.min(Math.max(fileBytes, 0), usedBytes - slabReclaimableBytes)
  const slabReclaimable = kib(slabReclaimableBytes)
  fields[FIELD.MemTotal] = kib(totalBytes)
  fields[FIELD.MemFree] = kib(freeBytes)
  fields[FIELD.MemAvailable] = kib(availableBytes)
  fields[FIELD.Cached] = kib(cachedBytes)
  fields[FIELD.Active] = sum(fields, FIELD['Active(anon)'], FIELD['Active(file)'])
  fields[FIELD.Inactive] = sum(fields, FIELD['Inactive(anon)'], FIELD['Inactive(file)'])
  fields[FIELD.LowTotal] = kib(totalBytes)
  fields[FIELD.LowFree] = kib(freeBytes)
  fields[FIELD.Zswap] = kib(Math.min(stat[STAT_CELLS.zswapBytes] ?? 0, usedBytes))
  fields[FIELD.Shmem] = kib(Math.min(stat[STAT_CELLS.shmemBytes] ?? 0, cachedBytes))
  fields[FIELD.KReclaimable] = slabReclaimable
  fields[FIELD.SReclaimable] = slabReclaimable
  fields[FIELD.Slab] = sum(fields, FIELD.SReclaimable, FIELD.SUnreclaim)
}

const sum = (fields: Float64Array, one: number, other: number) =>
  (fields[one] ?? 0) + (fields[other] ?? 0)
