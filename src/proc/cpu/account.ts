/**
 * CPU time as a container sees it, accumulated from reading to reading. The kernel has no such counters: cgroups count
 * usage without idle time, those of v2 do not count it per CPU, and one that is made anew counts from 0 again. Our
 * counters never decrease, and each visible CPU's time passes as fast as the clock.
 */

import type { CpuUsage } from '../../cgroup/cpu.ts'
import { type Kept, OwnNumbers } from '../kept.ts'
import type { Options } from '../options.ts'
import { CARRY, CPUS, CpuCells, FROM_HOST, ROWS, SOURCE, TAKEN_USEC } from './cells.ts'
import {
  addHostTime,
  findRow,
  type HostCpus,
  noteHost,
  noteUsage,
  noWork,
  spreadUsage,
} from './counters.ts'
import { type Interval, usablePart } from './interval.ts'
import { type CpuTimes, IDLE, NICE, STEAL, SYSTEM, TIME_FIELDS, USER } from './time.ts'
import type { VisibleCpus } from './visible.ts'
import { WORK_FIELDS, workUsec } from './work.ts'

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

const SAME_READING_USEC = 10_000

/** What the account at work remembers, and what it will: all accounts use these one after the other. */
const known = new CpuCells()
const next = new CpuCells()
/** What a CPU did in a time, and the time that passed on it. */
const work = new Float64Array(WORK_FIELDS)
const passed = new Float64Array(TIME_FIELDS)
const interval: Interval = { usec: 0, leastCpus: 1, mostCpus: 1 }

export class CpuAccount {
  readonly #options: Pick<Options, 'fractional'>
  readonly #kept: Kept
  #isOpen = false
  /** When the last reading was; `undefined` before the first. */
  #takenUsec: number | undefined
  /** What could be used then, 0 where that is not known. */
  #takenCpus = 0

  /** Goes on from what an earlier account has kept since the machine's boot, if that is sound. */
  constructor(options: Pick<Options, 'fractional'>, kept: Kept = new OwnNumbers()) {
    this.#options = options
    this.#kept = kept
  }

  /** Whether there was a reading. */
  get hasTimes(): boolean {
    return this.#takenUsec !== undefined
  }

  /**
   * Whether a reading at that time changes anything: two files read one after the other show the same times, unless a limit
   * changed in between.
   */
  isDue(monotonicUsec: number, { quotaCpus }: Pick<VisibleCpus, 'quotaCpus'>): boolean {
    if (!this.#isOpen) this.#open(monotonicUsec)
    // What was kept may be gone, with the registration that it was kept for.
    if (this.#kept.count === 0) this.#takenUsec = undefined
    if (this.#takenUsec === undefined || this.#takenCpus !== quotaCpus) return true
    return monotonicUsec - this.#takenUsec >= SAME_READING_USEC
  }

  #open(nowUsec: number): void {
    this.#isOpen = true
    known.load(this.#kept)
    if (!known.isSound(this.#kept.count, nowUsec)) return
    this.#takenUsec = known.numbers[TAKEN_USEC]
    this.#takenCpus = known.quotaCpus
  }

  /** Takes a reading into account, keeps what came of it, and tells the times up to it. */
  advance(reading: CpuReading): CpuTimes {
    const { monotonicUsec, cpus } = reading
    if (!this.isDue(monotonicUsec, cpus)) return this.times(cpus)
    if (this.#takenUsec === undefined) this.#first(reading)
    else {
      known.load(this.#kept)
      measure(monotonicUsec - this.#takenUsec, cpus)
      const isTold = reading.usage !== undefined || known.numbers[SOURCE] === FROM_HOST
      if (isTold) this.#next(reading)
      else this.#passIdle(cpus)
    }
    next.numbers[TAKEN_USEC] = monotonicUsec
    next.quotaCpus = cpus.quotaCpus
    this.#kept.store(next.numbers, next.length)
    this.#takenUsec = monotonicUsec
    this.#takenCpus = cpus.quotaCpus
    return next.show(cpus.count)
  }

  /** The times at the last reading. */
  times({ count }: Pick<VisibleCpus, 'count'>): CpuTimes {
    if (this.#takenUsec === undefined || this.#kept.count === 0) begin(known)
    else known.load(this.#kept)
    return known.show(count)
  }

  /** The first reading is one of the time since the container's creation. What does not fit into it was not its own. */
  #first(reading: CpuReading): void {
    const { monotonicUsec, ageUsec, usage, cpus } = reading
    const { effective, count, quotaCpus } = cpus
    begin(next)
    if (usage === undefined) {
      noteHost(next, reading.hostCpus(), effective)
      growTo(next, undefined, count)
      for (let i = 0; i < count; i++) {
        const row = findRow(next, effective[i] as number, i)
        for (let field = 0; field < TIME_FIELDS; field++) {
          passed[field] = row < 0 ? 0 : (next.numbers[row + 1 + field] as number)
        }
        addPassed(next, i)
      }
      return
    }
    noteUsage(next, usage, reading.hostCpus)
    growTo(next, undefined, count)
    begin(known)
    known.numbers[SOURCE] = next.numbers[SOURCE] as number
    known.quotaCpus = quotaCpus
    measure(Math.max(Math.min(ageUsec ?? monotonicUsec, monotonicUsec), 0), cpus)
    work.fill(0)
    this.#pass(spreadUsage(known, next, interval, work, cpus))
  }

  #next({ usage, cpus, hostCpus }: CpuReading): void {
    const { effective, count } = cpus
    for (let i = 0; i < WORK_FIELDS; i++) work[i] = known.numbers[CARRY + i] as number
    if (usage === undefined) {
      noteHost(next, hostCpus(), effective)
      growTo(next, known, count)
      for (let i = 0; i < interval.leastCpus; i++) {
        passed.fill(0)
        addHostTime(passed, 0, known, next, effective[i] as number, i)
        addPassed(next, i)
      }
    } else {
      noteUsage(next, usage, hostCpus)
      growTo(next, known, count)
      this.#pass(spreadUsage(known, next, interval, work, cpus))
    }
    for (let i = 0; i < WORK_FIELDS; i++) next.numbers[CARRY + i] = work[i] as number
  }

  /**
   * The usage cannot be read, at this moment or for ever: the time goes on as idle. A later reading that can be made goes
   * on from the last one that could, and shows what was used in between as there is room for it.
   */
  #passIdle({ count }: VisibleCpus): void {
    const { at } = known
    next.reserve(at)
    for (let i = 0; i < at; i++) next.numbers[i] = known.numbers[i] as number
    growTo(next, known, count)
    this.#pass(noWork(interval))
  }

  /** Adds to the times the interval, in which the CPUs did this work. */
  #pass(busy: Float64Array): void {
    for (let cpu = 0; cpu < interval.mostCpus; cpu++) {
      this.#passOn(cpu, busy, cpu * WORK_FIELDS)
      addPassed(next, cpu)
    }
  }

  /**
   * Sets `passed` to the time of a CPU that did the work at `at`. The unusable part of the last CPU shows as steal, the
   * time that a hypervisor gave to others, in step with its use: it is idle for what is left of the quota, and the sum is
   * the wall time. A CPU that was visible at one of the readings only has no time but that in which it worked.
   */
  #passOn(cpu: number, busy: Float64Array, at: number): void {
    const { usec, leastCpus } = interval
    passed.fill(0)
    passed[USER] = busy[at] as number
    passed[NICE] = busy[at + 1] as number
    passed[SYSTEM] = busy[at + 2] as number
    const part = usablePart(leastCpus, cpu)
    if (part === 0) return
    const usedUsec = workUsec(busy, at)
    const showsSteal = this.#options.fractional !== 'idle'
    const idleUsec = Math.max(showsSteal ? usec - usedUsec / part : usec * part - usedUsec, 0)
    passed[IDLE] = idleUsec
    passed[STEAL] = showsSteal ? Math.max(usec - usedUsec - idleUsec, 0) : 0
  }
}

/** The interval since the reading in `known`. Of a record without limits it is known only which CPUs never were visible. */
function measure(usec: number, { quotaCpus }: VisibleCpus): void {
  const before = known.quotaCpus || Math.min(quotaCpus, known.numbers[CPUS] as number)
  interval.usec = usec
  interval.leastCpus = Math.min(before, quotaCpus)
  interval.mostCpus = Math.max(before, quotaCpus)
}

/** Makes the cells those of an account without a reading. */
function begin(cells: CpuCells): void {
  cells.numbers.fill(0, 0, ROWS + TIME_FIELDS + 1)
  cells.numbers[SOURCE] = FROM_HOST
}

/** Gives the counters in `cells` the times `before`, with zeros where there were none, for `count` CPUs or more. */
function growTo(cells: CpuCells, before: CpuCells | undefined, count: number): void {
  const cpus = before?.numbers[CPUS] ?? 0
  cells.numbers[CPUS] = Math.max(cpus, count)
  const { at, length } = cells
  cells.reserve(length)
  cells.numbers.fill(0, at, length)
  if (before === undefined) return
  const beforeAt = before.at
  for (let i = 0; i < (1 + cpus) * TIME_FIELDS; i++) {
    cells.numbers[at + i] = before.numbers[beforeAt + i] as number
  }
}

/**
 * Adds the time that passed on a virtual CPU to its own and to that of all. What is no exact number any more stands
 * still.
 */
function addPassed({ numbers, at }: CpuCells, cpu: number): void {
  const own = at + (1 + cpu) * TIME_FIELDS
  for (let i = 0; i < TIME_FIELDS; i++) {
    const usec = passed[i] as number
    numbers[own + i] = Math.min((numbers[own + i] as number) + usec, Number.MAX_SAFE_INTEGER)
    numbers[at + i] = Math.min((numbers[at + i] as number) + usec, Number.MAX_SAFE_INTEGER)
  }
}
