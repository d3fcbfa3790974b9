/** A container's memory under the names of /proc/meminfo, as meminfo and vmstat show it. */

import { FIELD, setMemoryFields } from './fields.ts'
import type { HostMeminfo } from './host-meminfo.ts'
import type { LimitedMemory, LimitedSwap } from './limit.ts'

export interface MemoryLimits {
  memory: LimitedMemory
  swap: LimitedSwap
  /** Whether no more may be free than is free on the host. */
  clampFree: boolean
}

/** Sets what memory and swap tell; huge pages and what is committed are meminfo's alone. */
export function setLimitedFields(
  fields: Float64Array,
  host: HostMeminfo,
  { memory, swap, clampFree }: MemoryLimits,
): void {
  setMemoryFields(fields, memory)
  lower(fields, FIELD.Mlocked, fields[FIELD.Unevictable], host.get('Mlocked'))
  // htop subtracts this from the swap in use, unsigned; v1 counts pages that are in the cache only.
  lower(fields, FIELD.SwapCached, fields[FIELD.SwapCached], swap.mostCachedKib)
  if (clampFree) {
    lower(fields, FIELD.MemFree, fields[FIELD.MemFree], host.get('MemFree'))
    fields[FIELD.LowFree] = fields[FIELD.MemFree] ?? 0
  }
  lower(fields, FIELD.MemAvailable, fields[FIELD.MemAvailable], host.get('MemAvailable'))
  // procps and htop take 0 for that of a kernel without the line, and show MemFree in its place.
  if (fields[FIELD.MemAvailable] === 0) {
    lower(fields, FIELD.MemAvailable, fields[FIELD.MemFree], 1)
  }
}

/** Sets a field to the smaller value; a line that is not there is as one of 0. */
function lower(
  fields: Float64Array,
  field: number,
  one: number | undefined,
  other: number | undefined,
): void {
  fields[field] = Math.min(one ?? 0, other ?? 0)
}
