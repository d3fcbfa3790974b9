/**
 * What the kernel's counters said at one reading, and what virtual CPUs did between two. The counters are Records, not
 * Maps, because they are kept as JSON.
 */

import type { CpuUsage } from '../../cgroup/cpu.ts'
import { busyUsec, type CpuTime, NO_TIME, timeSince } from './time.ts'
import type { VisibleCpus } from './visible.ts'
import {
  addWork,
  NO_WORK,
  type Spread,
  spreadWork,
  type Work,
  workSince,
  workUsec,
} from './work.ts'

/** The time of the host's CPUs by number, as `parseHostCpus` reads it. */
export type HostCpus = ReadonlyMap<number, CpuTime>

export interface RawUsage {
  source: 'cgroup'
  total: Work
  /** Work by the host's CPU number. */
  perCpu?: Readonly<Record<number, Work>>
  /** Busy time by the host's CPU number. Without `perCpu` it tells which CPUs did the work. */
  hostBusyUsec?: Readonly<Record<number, number>>
}

export interface RawHost {
  source: 'host'
  cpus: Readonly<Record<number, CpuTime>>
}

export function rawUsage(usage: CpuUsage, hostCpus: () => HostCpus): RawUsage {
  const { userUsec, niceUsec, systemUsec } = usage
  const total = { userUsec, niceUsec, systemUsec }
  if (usage.perCpu !== undefined) {
    const perCpu: Record<number, Work> = {}
    for (const [cpu, work] of usage.perCpu) perCpu[cpu] = { niceUsec: 0, ...work }
    return { source: 'cgroup', total, perCpu }
  }
  const hostBusyUsec: Record<number, number> = {}
  for (const [cpu, time] of hostCpus()) hostBusyUsec[cpu] = busyUsec(time)
  return { source: 'cgroup', total, hostBusyUsec }
}

export function rawHost(host: HostCpus, effective: readonly number[]): RawHost {
  const cpus: Record<number, CpuTime> = {}
  for (const cpu of effective) {
    const time = host.get(cpu)
    if (time !== undefined) cpus[cpu] = time
  }
  return { source: 'host', cpus }
}

/** The time from one reading to the next, and the work that found no room in the time before. */
interface Period {
  usec: number
  carry: Work
}

/** Spreads the usage of a period, and what is carried into it, over the virtual CPUs. */
export function spreadUsage(
  before: RawUsage | RawHost,
  now: RawUsage,
  { usec, carry }: Period,
  { effective, count, quotaCpus }: VisibleCpus,
): Spread {
  const own: Work[] = new Array(count).fill(NO_WORK)
  const weights: number[] = new Array(count).fill(0)
  const roomUsec = (usec * quotaCpus) / count
  const mostUsec = usec * effective.length
  // Nobody knows how much of a new source's count came since the last reading.
  if (before.source === 'host') return spreadWork(own, carry, weights, roomUsec)

  if (before.perCpu !== undefined && now.perCpu !== undefined) {
    const position = new Map(effective.map((cpu, j) => [cpu, j]))
    for (const [key, work] of Object.entries(now.perCpu)) {
      const cpu = Number(key)
      const used = workSince(work, before.perCpu[cpu] ?? NO_WORK, mostUsec)
      const i = (position.get(cpu) ?? cpu) % count
      own[i] = addWork(own[i] ?? NO_WORK, used)
    }
    return spreadWork(own, carry, own.map(workUsec), roomUsec)
  }

  effective.forEach((cpu, j) => {
    const nowUsec = now.hostBusyUsec?.[cpu] ?? 0
    const beforeUsec = before.hostBusyUsec?.[cpu] ?? nowUsec
    weights[j % count] = (weights[j % count] ?? 0) + Math.max(nowUsec - beforeUsec, 0)
  })
  const used = workSince(now.total, before.total, mostUsec)
  return spreadWork(own, addWork(used, carry), weights, roomUsec)
}

/** What the host's own counters of the visible CPUs grew by. */
export function hostTimesSince(now: RawHost, before: RawHost, cpus: VisibleCpus): CpuTime[] {
  return cpus.effective.slice(0, cpus.count).map(cpu => {
    const time = now.cpus[cpu] ?? NO_TIME
    return timeSince(time, before.cpus[cpu] ?? time)
  })
}
