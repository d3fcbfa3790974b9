/**
 * What an account remembers between readings, as numbers in a row: a head, then a row for each CPU that was counted,
 * then a row of times for all CPUs and one for each virtual CPU that was ever visible, and `quotaCpus` of the last reading.
 * The first records had no such number.
 */

import { type Kept, withRoom } from '../kept.ts'
import { type CpuTimes, TIME_FIELDS } from './time.ts'
import { WORK_FIELDS } from './work.ts'

/** The time of the last reading, in microseconds of CLOCK_MONOTONIC. */
export const TAKEN_USEC = 0
/** Who had counted at the last reading. */
export const SOURCE = 1
/** Work that the CPUs had no room for yet: cgroup counters may run ahead of the clock a little. */
export const CARRY = 2
/** The work that the cgroup had counted. */
export const USED = CARRY + WORK_FIELDS
/** How many CPUs were counted, and how many virtual CPUs have times. */
export const COUNTED = USED + WORK_FIELDS
export const CPUS = COUNTED + 1
/** The row of each CPU that was counted begins with the host's number of it. */
export const ROWS = CPUS + 1

/** The host's own times, where the container has no counters: ten fields for each CPU. */
export const FROM_HOST = 1
/** The cgroup's counters, with user and system time for each CPU. */
export const BY_CPU = 2
/** The cgroup's counters, and how long each of the host's CPUs was busy, which tells which ones did the work. */
export const BY_TOTAL = 3

const ROW_NUMBERS: Readonly<Record<number, number>> = {
  [FROM_HOST]: 1 + TIME_FIELDS,
  [BY_CPU]: 3,
  [BY_TOTAL]: 2,
}

/** How many numbers the row of a CPU has. */
export const rowNumbers = (source: number): number => ROW_NUMBERS[source] ?? Number.NaN

export class CpuCells implements CpuTimes {
  numbers = new Float64Array(256)
  count = 0

  /** Where the times begin. */
  get at(): number {
    const { numbers } = this
    return ROWS + (numbers[COUNTED] as number) * rowNumbers(numbers[SOURCE] as number)
  }

  /** Where the times end. */
  get end(): number {
    return this.at + (1 + (this.numbers[CPUS] as number)) * TIME_FIELDS
  }

  /** How many numbers are to be kept. */
  get length(): number {
    return this.end + 1
  }

  /** `quotaCpus` at the last reading, 0 where that is not known. There is room for it once there is for `length`. */
  get quotaCpus(): number {
    return this.numbers[this.end] as number
  }

  set quotaCpus(quotaCpus: number) {
    this.numbers[this.end] = quotaCpus
  }

  reserve(count: number): void {
    this.numbers = withRoom(this.numbers, count)
  }

  load(kept: Kept): void {
    this.reserve(Math.max(kept.count, ROWS) + 1)
    kept.load(this.numbers)
    this.numbers[kept.count] = 0
  }

  /** These times, with zeros for CPUs that have none yet. */
  show(count: number): CpuTimes {
    const { end } = this
    const endShown = this.at + (1 + count) * TIME_FIELDS
    this.reserve(endShown)
    if (end < endShown) this.numbers.fill(0, end, endShown)
    this.count = count
    return this
  }

  /** Whether these are numbers that an account of this version has kept since the machine's boot. */
  isSound(count: number, nowUsec: number): boolean {
    const { numbers } = this
    if (count < ROWS || (this.length !== count && this.end !== count)) return false
    if (!((numbers[TAKEN_USEC] as number) <= nowUsec)) return false
    for (const at of [COUNTED, CPUS]) if (!Number.isInteger(numbers[at])) return false
    if (!(this.quotaCpus >= 0 && this.quotaCpus <= (numbers[CPUS] as number))) return false
    for (let i = 0; i < count; i++) {
      const number = numbers[i] as number
      // Sums of doubles may be a hair below 0.
      if (!(number > -1 && number <= Number.MAX_SAFE_INTEGER)) return false
    }
    return true
  }
}
