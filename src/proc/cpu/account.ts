/**
 * CPU time as a container sees it, accumulated from reading to reading. The kernel has no such counters: cgroups count
 * usage without idle time, those of v2 do not count it per CPU, and one that is made anew counts from 0 again. Our
 * counters never decrease, and each visible CPU's time passes as fast as the clock.
 */

import type { CpuUsage } from '../../cgroup/cpu.ts'
import type { Options } from '../options.ts'
import {
  type HostCpus,
  hostTimesSince,
  type RawHost,
  type RawUsage,
  rawHost,
  rawUsage,
  spreadUsage,
} from './counters.ts'
import { addTime, type CpuTime, NO_TIME } from './time.ts'
import type { VisibleCpus } from './visible.ts'
import { capWork, NO_WORK, scaleWork, type Work, workUsec } from './work.ts'

export interface CpuTimes {
  /**
   * Time of all CPUs that were ever visible. Those that are hidden now count too, so it never falls when fewer are
   * visible.
   */
  total: CpuTime
  /** Time of each visible CPU. */
  cpus: readonly CpuTime[]
}

export interface CpuReading {
  /** Microseconds of CLOCK_MONOTONIC. */
  monotonicUsec: number
  /** Time since the container's creation; only the first reading takes it into account. */
  ageUsec: number | undefined
  cpus: VisibleCpus
  usage: CpuUsage | undefined
  /** Asked at most once, and only when `usage` does not tell the CPUs apart. */
  hostCpus: () => HostCpus
}

/** What is remembered between readings, as plain JSON. */
export interface CpuAccountState {
  monotonicUsec: number
  /** Counters at the last reading: the container's, or the host's where the container has none. */
  raw: RawUsage | RawHost
  /** Usage that the CPUs had no room for yet: cgroup counters may run ahead of the clock a little. */
  carry: Work
  total: CpuTime
  /** Time by virtual CPU. A hidden one keeps its place and goes on when it is visible again. */
  cpus: readonly CpuTime[]
}

const SAME_READING_USEC = 10_000

/** At most this much usage is carried for each CPU of the quota: more than that cannot be jitter. */
const MOST_CARRY_USEC = 5_000_000

export class CpuAccount {
  readonly #options: Pick<Options, 'fractional'>
  #state: CpuAccountState | undefined

  /** Goes on from a `state` that `toJSON` gave earlier since the machine's boot. */
  constructor(options: Pick<Options, 'fractional'>, state?: CpuAccountState) {
    this.#options = options
    this.#state = state
  }

  toJSON(): CpuAccountState | undefined {
    return this.#state
  }

  /** Whether a reading at that time changes anything: two files read one after the other show the same times. */
  isDue(monotonicUsec: number): boolean {
    return (
      this.#state === undefined || monotonicUsec - this.#state.monotonicUsec >= SAME_READING_USEC
    )
  }

  /** Takes a reading into account and tells the times up to it. */
  advance(reading: CpuReading): CpuTimes {
    this.#state =
      this.#state === undefined ? this.#first(reading) : this.#next(this.#state, reading)
    return this.times(reading.cpus)
  }

  /** The times at the last reading. */
  times({ count }: Pick<VisibleCpus, 'count'>): CpuTimes {
    const { total = NO_TIME, cpus = [] } = this.#state ?? {}
    return { total, cpus: Array.from({ length: count }, (_, i) => cpus[i] ?? NO_TIME) }
  }

  /** Before the first reading usage was even, as far as anyone can tell. */
  #first(reading: CpuReading): CpuAccountState {
    const { monotonicUsec, ageUsec, usage } = reading
    const { effective, count, quotaCpus } = reading.cpus
    if (usage === undefined) {
      const raw = rawHost(reading.hostCpus(), effective)
      const cpus = effective.slice(0, count).map(cpu => raw.cpus[cpu] ?? NO_TIME)
      return { monotonicUsec, raw, carry: NO_WORK, total: cpus.reduce(addTime, NO_TIME), cpus }
    }
    const usec = Math.max(Math.min(ageUsec ?? monotonicUsec, monotonicUsec), 0)
    const busy = capWork(scaleWork(usage, 1 / count), (usec * quotaCpus) / count)
    const time = this.#cpuTime(usec, busy, reading.cpus)
    const cpus = Array.from({ length: count }, () => time)
    const total = cpus.reduce(addTime, NO_TIME)
    return { monotonicUsec, raw: rawUsage(usage, reading.hostCpus), carry: NO_WORK, total, cpus }
  }

  #next(state: CpuAccountState, reading: CpuReading): CpuAccountState {
    const { monotonicUsec, usage } = reading
    if (!this.isDue(monotonicUsec)) return state
    const usec = monotonicUsec - state.monotonicUsec
    if (usage === undefined) {
      // The usage cannot be read just now: the next reading makes good for the time until then.
      if (state.raw.source === 'cgroup') return state
      const raw = rawHost(reading.hostCpus(), reading.cpus.effective)
      const passed = hostTimesSince(raw, state.raw, reading.cpus)
      return { ...state, monotonicUsec, raw, ...accumulate(state, passed) }
    }
    const raw = rawUsage(usage, reading.hostCpus)
    const { busy, left } = spreadUsage(state.raw, raw, { usec, carry: state.carry }, reading.cpus)
    const passed = busy.map(work => this.#cpuTime(usec, work, reading.cpus))
    const carry = capWork(left, MOST_CARRY_USEC * reading.cpus.quotaCpus)
    return { monotonicUsec, raw, carry, ...accumulate(state, passed) }
  }

  /**
   * Under a fractional quota a CPU cannot be used up. Its unusable part shows as steal, the time that a hypervisor gave
   * to others, in step with the use: so idle tells how much of the quota is left, and the sum is the wall time.
   */
  #cpuTime(usec: number, busy: Work, { count, quotaCpus }: VisibleCpus): CpuTime {
    const usedUsec = workUsec(busy)
    if (this.#options.fractional === 'idle') {
      const idleUsec = Math.max((usec * quotaCpus) / count - usedUsec, 0)
      return { ...NO_TIME, ...busy, idleUsec }
    }
    const stealUsec = (usedUsec * (count - quotaCpus)) / quotaCpus
    const idleUsec = Math.max(usec - usedUsec - stealUsec, 0)
    return { ...NO_TIME, ...busy, idleUsec, stealUsec }
  }
}

function accumulate(
  state: CpuAccountState,
  passed: readonly CpuTime[],
): Pick<CpuAccountState, 'total' | 'cpus'> {
  const cpus = [...state.cpus]
  passed.forEach((time, i) => {
    cpus[i] = addTime(cpus[i] ?? NO_TIME, time)
  })
  return { total: passed.reduce(addTime, state.total), cpus }
}
