/** Times of CPUs by name. */

import {
  CPU_TIME_FIELDS,
  type CpuTime,
  type CpuTimes,
  TIME_FIELDS,
} from '../../src/proc/cpu/time.ts'

export interface NamedTimes {
  total: CpuTime
  cpus: CpuTime[]
}

/** A copy, which holds when others are asked for. */
export function nameTimes({ numbers, at, count }: CpuTimes): NamedTimes {
  const row = (i: number) =>
    Object.fromEntries(
      CPU_TIME_FIELDS.map((field, k) => [field, numbers[at + i * TIME_FIELDS + k]]),
    ) as CpuTime
  return { total: row(0), cpus: Array.from({ length: count }, (_, i) => row(1 + i)) }
}

export function toCpuTimes({ total, cpus }: NamedTimes): CpuTimes {
  const rows = [total, ...cpus].map(time => CPU_TIME_FIELDS.map(field => time[field]))
  return { numbers: Float64Array.from(rows.flat()), at: 0, count: cpus.length }
}
