/**
 * What a container has done while nobody read its load, by counters that the kernel keeps anyway. Their mean over the time
 * is a lower bound of how many threads were active: however many wait at once, pressure counts one.
 */

import type { Cgroup } from '../cgroup/cgroup.ts'
import { LOAD_PERIOD_USEC, type Loads, NO_LOADS, stepLoads } from '../proc/load.ts'

/** Microseconds since the cgroup was made, at the time `usec` of CLOCK_MONOTONIC. */
export interface Spent {
  usec: number
  /** CPU time of all threads. */
  cpuUsec: number
  /** Time in which some thread waited for a device, and for a CPU: psi.rst. 0 where the kernel does not tell. */
  ioUsec: number
  waitUsec: number
}

export type Counters = Partial<Pick<Cgroup, 'cpuUsage' | 'unified'>>

/** `undefined` where no CPU time is counted. */
export function readSpent({ cpuUsage, unified }: Counters, usec: number): Spent | undefined {
  const used = cpuUsage?.usage()
  if (used === undefined) return undefined
  return {
    usec,
    cpuUsec: Math.floor(used.userUsec + used.niceUsec + used.systemUsec),
    ioUsec: parseSome(unified?.read('io.pressure')),
    waitUsec: parseSome(unified?.read('cpu.pressure')),
  }
}

/** The total of the line `some`, psi.rst. */
function parseSome(text: string | undefined): number {
  const [, total] = /^some .*total=(\d{1,15})$/m.exec(text ?? '') ?? []
  return Number(total ?? 0)
}

/** A counter that is ahead of the clock by more than this makes no sense. */
const SLACK = 1.1

/**
 * How many threads were active between the two, as a mean, on a machine with so many CPUs; `undefined` where a counter has
 * fallen, or says more than there can be.
 */
export function meanActive(from: Spent, to: Spent, cpus: number): number | undefined {
  const usec = to.usec - from.usec
  const used = [to.cpuUsec - from.cpuUsec, cpus] as const
  const waited = [to.ioUsec - from.ioUsec, to.waitUsec - from.waitUsec].map(
    part => [part, 1] as const,
  )
  const parts = [used, ...waited]
  if (usec <= 0) return undefined
  if (parts.some(([part, most]) => part < 0 || part > SLACK * most * usec)) return undefined
  return parts.reduce((sum, [part]) => sum + part, 0) / usec
}

/** The averages of a container that is so old and was never read. */
export function loadsSince(
  ageUsec: number | undefined,
  spent: Spent | undefined,
  cpus: number,
): Loads {
  if (ageUsec === undefined || spent === undefined) return NO_LOADS
  const start = { usec: spent.usec - ageUsec, cpuUsec: 0, ioUsec: 0, waitUsec: 0 }
  const steps = Math.floor(ageUsec / LOAD_PERIOD_USEC)
  return stepLoads(NO_LOADS, meanActive(start, spent, cpus) ?? 0, steps)
}
