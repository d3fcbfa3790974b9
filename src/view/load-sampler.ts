/**
 * Samples what a container's threads do, for its load averages: the kernel keeps averages only for the whole machine.
 * The caller's clock drives the sampling, every 5 seconds while somebody reads, and a reader has the threads counted anew
 * after a second. A container with thousands of threads is counted in slices, one after the other, and as often as its
 * turn comes.
 */

import type { Cgroup } from '../cgroup/cgroup.ts'
import { isFrozenV1 } from '../cgroup/freezer.ts'
import type { Group } from '../cgroup/group.ts'
import { findCount } from '../cgroup/numbers.ts'
import type { Host } from '../host/host.ts'
import { type Kept, OwnNumbers } from '../proc/kept.ts'
import {
  LOAD_PERIOD_USEC,
  type Load,
  type Loads,
  NO_LOADS,
  stepLoads,
  type Threads,
} from '../proc/load.ts'
import { readInnermostPid, type ThreadCount, ThreadCounting } from './threads.ts'

/** A count that is older than this is made again for the next reader. */
const FRESH_USEC = 1_000_000

/**
 * A count is not made again for a reader before so many times as long as it took have gone by, or a period: of thousands
 * of threads it takes a part of a second.
 */
const REST = 50

/** After this long without a reader there are no samples until the next reader. */
const UNREAD_USEC = 600_000_000

/**
 * A reader waits for at most this long while its own container's threads are counted. 60 threads or so are counted within
 * it; of more, the first answer is an estimate.
 */
const READER_USEC = 2000

/**
 * The numbers that are kept, in this order: three times, the newest pid, the averages, and the count if there is one,
 * behind which is the newest pid again.
 */
const LOAD_NUMBERS = 12

/** All samplers use these one after the other. */
const numbers = new Float64Array(LOAD_NUMBERS)

const NONE = new Float64Array()

export class LoadSampler {
  readonly #host: Host
  readonly #cgroup: () => Pick<Cgroup, 'tasks' | 'freezer'>
  #loads: Loads = NO_LOADS
  #count: ThreadCount | undefined
  /** A count that is begun and not finished. */
  #counting: ThreadCounting | undefined
  /** How long the last count has taken, or what was spent on the one that is begun. */
  #countUsec = 0
  #isFrozen = false
  #lastPid = 1
  /** The newest threads when they were counted last, and those of which the container's pid is known. */
  #newest: Float64Array = NONE
  #known: Float64Array = NONE
  /** This and the next two times are microseconds of CLOCK_MONOTONIC. The averages are computed up to this one. */
  #gridUsec: number | undefined
  #passUsec = Number.NEGATIVE_INFINITY
  #readUsec = 0
  readonly #kept: Kept

  /**
   * `cgroup` tells where the container's threads are listed now. Frozen threads are told from others by v2, or by v1's
   * freezer if there is one. The sampler goes on from what an earlier one has kept since the machine's boot.
   */
  constructor(
    host: Host,
    cgroup: () => Pick<Cgroup, 'tasks' | 'freezer'>,
    kept: Kept = new OwnNumbers(),
  ) {
    this.#host = host
    this.#cgroup = cgroup
    this.#kept = kept
    if (kept.count === LOAD_NUMBERS) this.#goOn()
  }

  #goOn(): void {
    this.#kept.load(numbers)
    const [gridUsec = 0, passUsec = 0, readUsec = 0, lastPid = 0, ...others] = numbers
    const [one = 0, five = 0, fifteen = 0, isCounted, ...count] = others
    const now = this.#host.clock.monotonicUsec()
    // A time to come is one of another boot.
    if (!numbers.every(number => number >= 0) || Math.max(gridUsec, passUsec, readUsec) > now)
      return
    if (!numbers.subarray(3).every(number => Number.isSafeInteger(number))) return
    this.#loads = [one, five, fifteen]
    this.#lastPid = lastPid
    this.#gridUsec = gridUsec
    this.#passUsec = passUsec
    this.#readUsec = readUsec
    if (isCounted !== 1) return
    const [running = 0, blocked = 0, threads = 0] = count
    this.#count = { running, blocked, threads }
  }

  #keep(): void {
    const count = this.#count
    numbers.fill(0)
    numbers[0] = this.#gridUsec ?? 0
    numbers[1] = this.#passUsec
    numbers[2] = this.#readUsec
    numbers[3] = this.#lastPid
    for (let i = 0; i < 3; i++) numbers[4 + i] = this.#loads[i] as number
    if (count !== undefined) {
      numbers[7] = 1
      numbers[8] = count.running
      numbers[9] = count.blocked
      numbers[10] = count.threads
      numbers[11] = this.#lastPid
    }
    this.#kept.store(numbers, LOAD_NUMBERS)
  }

  /**
   * When the next sample is to be taken, or a count that is begun is to go on, if anybody reads; `undefined` before the
   * first sample.
   */
  get dueUsec(): number | undefined {
    if (this.#counting !== undefined) return this.#passUsec
    return this.#gridUsec === undefined ? undefined : this.#gridUsec + LOAD_PERIOD_USEC
  }

  /** `undefined` as long as the threads could not be counted. */
  load(): Load | undefined {
    this.#read()
    this.#findLastPid()
    return this.last
  }

  /** The same without the newest pid, which takes longer to find than the others to count. */
  threads(): Threads | undefined {
    this.#read()
    return this.last
  }

  #read(): void {
    const now = this.#host.clock.monotonicUsec()
    this.#readUsec = now
    this.#gridUsec ??= now
    if (this.#counting !== undefined || !this.#isStale(now)) return
    this.#begin(now)
    this.#advance(now + READER_USEC)
  }

  #isStale(now: number): boolean {
    if (now - (this.#gridUsec ?? now) >= LOAD_PERIOD_USEC) return true
    const restUsec = Math.min(REST * this.#countUsec, LOAD_PERIOD_USEC)
    return now - this.#passUsec >= Math.max(FRESH_USEC, restUsec)
  }

  /** A thread keeps its pid, so only those are asked that are new since. */
  #findLastPid(): void {
    const newest = this.#newest
    if (newest === this.#known) return
    for (const tid of newest) {
      if (this.#known.includes(tid)) continue
      this.#lastPid = Math.max(this.#lastPid, readInnermostPid(this.#host, tid) ?? 1)
    }
    this.#known = newest
    this.#keep()
  }

  /** The load as it was counted last, by this sampler or an earlier one. */
  get last(): Load | undefined {
    const count = this.#count ?? this.#counting?.count
    if (count === undefined) return undefined
    const { running, blocked, threads } = count
    return { loads: this.#loads, running, blocked, threads, lastPid: this.#lastPid }
  }

  /**
   * Samples when it is time to, and counts until `untilUsec` at the latest. Returns when it is time again, in
   * microseconds of CLOCK_MONOTONIC, which is past where the count is not finished; `undefined` when nobody has read for
   * a while.
   */
  tick(untilUsec = Number.POSITIVE_INFINITY): number | undefined {
    const now = this.#host.clock.monotonicUsec()
    if (this.#gridUsec === undefined || now - this.#readUsec > UNREAD_USEC) {
      this.#counting = undefined
      return undefined
    }
    if (this.#counting === undefined && now - this.#gridUsec >= LOAD_PERIOD_USEC) this.#begin(now)
    this.#advance(untilUsec)
    return this.dueUsec
  }

  #begin(now: number): void {
    this.#passUsec = now
    const { tasks, freezer } = this.#cgroup()
    this.#isFrozen = tasks !== undefined && isFrozen(tasks, freezer)
    // Frozen threads stay as many as they were.
    if (tasks === undefined || (this.#isFrozen && this.#count !== undefined)) this.#finish(now)
    else {
      this.#countUsec = 0
      this.#counting = new ThreadCounting(this.#host, tasks, freezer)
      this.#keep()
    }
  }

  #advance(untilUsec: number): void {
    if (this.#counting === undefined) return
    const { clock } = this.#host
    const startUsec = clock.monotonicUsec()
    const isCounted = this.#counting.advance(untilUsec)
    const endUsec = clock.monotonicUsec()
    this.#countUsec += endUsec - startUsec
    this.#newest = this.#counting.newest
    if (!isCounted) return
    // Where the threads could not be counted, the count before stays.
    this.#count = this.#counting.count ?? this.#count
    this.#finish(endUsec)
  }

  #finish(now: number): void {
    this.#step(now)
    this.#keep()
  }

  /**
   * Brings the averages to the last point of the grid, as if the threads had always done since then what they do now.
   */
  #step(now: number): void {
    this.#counting = undefined
    this.#passUsec = now
    const gridUsec = this.#gridUsec ?? now
    const steps = Math.floor((now - gridUsec) / LOAD_PERIOD_USEC)
    this.#gridUsec = gridUsec + steps * LOAD_PERIOD_USEC
    if (this.#count === undefined) return
    if (this.#isFrozen) this.#count = { ...this.#count, running: 0, blocked: 0 }
    this.#loads = stepLoads(this.#loads, this.#count.running + this.#count.blocked, steps)
  }
}

/** Whether all threads of the container are frozen: they are no load. */
function isFrozen(tasks: Group, freezer: Group | undefined): boolean {
  if (freezer !== undefined && isFrozenV1(freezer)) return true
  return tasks.version === 2 && findCount(tasks.read('cgroup.events') ?? '', 'frozen') === 1
}
