/** What is kept of a container's load, as numbers: another server, which may be newer or older, goes on from them. */

import type { Kept } from '../proc/kept.ts'
import type { Loads } from '../proc/load.ts'
import type { Spent } from './load-past.ts'
import type { ThreadCount } from './threads.ts'

/** Times are microseconds of CLOCK_MONOTONIC. */
export interface LoadRecord {
  gridUsec: number
  passUsec: number
  readUsec: number
  lastPid: number
  loads: Loads
  count: ThreadCount | undefined
  spent: Spent | undefined
}

/**
 * Three times, the newest pid, the averages, and the count if there is one, behind which is the newest pid again. Earlier
 * versions kept these alone; what was spent by then follows, if it is known.
 */
const EARLIER_NUMBERS = 12
const LOAD_NUMBERS = 16

/** All records go through these, one after the other. */
const numbers = new Float64Array(LOAD_NUMBERS)

export function storeLoad(kept: Kept, record: LoadRecord): void {
  const { count, spent } = record
  numbers.fill(0)
  numbers[0] = record.gridUsec
  numbers[1] = record.passUsec
  numbers[2] = record.readUsec
  numbers[3] = record.lastPid
  for (let i = 0; i < 3; i++) numbers[4 + i] = record.loads[i] as number
  if (count !== undefined) {
    numbers[7] = 1
    numbers[8] = count.running
    numbers[9] = count.blocked
    numbers[10] = count.threads
    numbers[11] = record.lastPid
  }
  if (spent !== undefined) {
    numbers[12] = spent.usec
    numbers[13] = spent.cpuUsec
    numbers[14] = spent.ioUsec
    numbers[15] = spent.waitUsec
  }
  kept.store(numbers, LOAD_NUMBERS)
}

/** `undefined` where nothing was kept that can be gone on from: a time to come is one of another boot. */
export function recallLoad(kept: Kept, nowUsec: number): LoadRecord | undefined {
  if (kept.count !== LOAD_NUMBERS && kept.count !== EARLIER_NUMBERS) return undefined
  numbers.fill(0)
  kept.load(numbers)
  const [gridUsec = 0, passUsec = 0, readUsec = 0, lastPid = 0, ...others] = numbers
  const [one = 0, five = 0, fifteen = 0, isCounted, ...counts] = others
  const [running = 0, blocked = 0, threads = 0, , usec = 0, ...sums] = counts
  if (!numbers.every(number => number >= 0)) return undefined
  if (Math.max(gridUsec, passUsec, readUsec, usec) > nowUsec) return undefined
  const integers = [...numbers.subarray(3, EARLIER_NUMBERS), ...sums]
  if (!integers.every(number => Number.isSafeInteger(number))) return undefined
  const [cpuUsec = 0, ioUsec = 0, waitUsec = 0] = sums
  return {
    ...{ gridUsec, passUsec, readUsec, lastPid },
    loads: [one, five, fifteen],
    count: isCounted === 1 ? { running, blocked, threads } : undefined,
    spent: usec > 0 ? { usec, cpuUsec, ioUsec, waitUsec } : undefined,
  }
}
