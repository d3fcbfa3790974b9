/**
 * Samples what a container's threads do, for its load averages: the kernel keeps averages only for the whole machine.
 * The caller's clock drives the sampling, every 5 seconds while somebody reads, and a reader has the threads counted anew
 * after a second. A container with thousands of threads is counted in slices, one after the other, and as often as its
 * turn comes.
 */

import type { Cgroup } from '../cgroup/cgroup.ts'
import { isFrozen } from '../cgroup/freezer.ts'
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
import { countCpus } from './host-cpus.ts'
import { type Counters, loadsSince, meanActive, readSpent, type Spent } from './load-past.ts'
import { type LoadRecord, recallLoad, storeLoad } from './load-record.ts'
import { readInnermostPid, type ThreadCount, ThreadCounting } from './threads.ts'

/** A count that is older than this is made again for the next reader. */
const FRESH_USEC = 1_000_000

/**
 * A count is not made again for a reader before so many times as long as it took have gone by, or a period: of thousands
 * of threads it takes a part of a second.
 */
const REST = 50

/** So many steps at once are a sample that is late, or a long count. More are a gap, of which only counters tell. */
const MOST_LATE = 3

/** After this long without a reader there are no samples until the next reader. */
const UNREAD_USEC = 600_000_000

/**
 * A reader waits for at most this long while its own container's threads are counted. 60 threads or so are counted within
 * it; of more, the first answer is an estimate.
 */
const READER_USEC = 2000

const NONE = new Float64Array()

type Sampled = Pick<Cgroup, 'tasks' | 'freezer'> & Counters

export class LoadSampler {
  readonly #host: Host
  readonly #cgroup: () => Sampled
  readonly #ageUsec: () => number | undefined
  #loads: Loads = NO_LOADS
  #count: ThreadCount | undefined
  /** A count that is begun and not finished. */
  #counting: ThreadCounting | undefined
  /** How long the last count has taken, or what was spent on the one that is begun. */
  #countUsec = 0
  /** What the container had spent at the last step. */
  #spent: Spent | undefined
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
   * freezer if there is one. The sampler goes on from what an earlier one has kept since the machine's boot; where none
   * has, `ageUsec` tells how old the container is.
   */
  constructor(
    host: Host,
    cgroup: () => Sampled,
    kept: Kept = new OwnNumbers(),
    ageUsec: () => number | undefined = () => undefined,
  ) {
    this.#host = host
    this.#cgroup = cgroup
    this.#kept = kept
    this.#ageUsec = ageUsec
    const record = recallLoad(kept, host.clock.monotonicUsec())
    if (record !== undefined) this.#goOn(record)
  }

  #goOn(record: LoadRecord): void {
    this.#gridUsec = record.gridUsec
    this.#passUsec = record.passUsec
    this.#readUsec = record.readUsec
    this.#lastPid = record.lastPid
    this.#loads = record.loads
    this.#count = record.count
    this.#spent = record.spent
  }

  #keep(): void {
    storeLoad(this.#kept, {
      gridUsec: this.#gridUsec ?? 0,
      passUsec: this.#passUsec,
      readUsec: this.#readUsec,
      lastPid: this.#lastPid,
      loads: this.#loads,
      count: this.#count,
      spent: this.#spent,
    })
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
    if (this.#gridUsec === undefined) this.#start(now)
    if (this.#counting !== undefined || !this.#isStale(now)) return
    this.#begin(now)
    this.#advance(now + READER_USEC)
  }

  /** What the container has done since its start is all that is known of it. */
  #start(now: number): void {
    this.#gridUsec = now
    this.#spent = readSpent(this.#cgroup(), now)
    this.#loads = loadsSince(this.#ageUsec(), this.#spent, countCpus(this.#host))
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

  /** Brings the averages to the last point of the grid. */
  #step(now: number): void {
    this.#counting = undefined
    this.#passUsec = now
    const gridUsec = this.#gridUsec ?? now
    const steps = Math.floor((now - gridUsec) / LOAD_PERIOD_USEC)
    this.#gridUsec = gridUsec + steps * LOAD_PERIOD_USEC
    const mean = steps === 0 ? undefined : this.#meanSince(now)
    if (this.#count === undefined) return
    if (this.#isFrozen) this.#count = { ...this.#count, running: 0, blocked: 0 }
    const active = this.#count.running + this.#count.blocked
    const missed = steps > MOST_LATE && mean !== undefined ? steps - 1 : 0
    this.#loads = stepLoads(this.#loads, mean ?? 0, missed)
    this.#loads = stepLoads(this.#loads, active, steps - missed)
  }

  /** How many threads were active since the last step, and where the next mean begins. */
  #meanSince(now: number): number | undefined {
    const last = this.#spent
    this.#spent = readSpent(this.#cgroup(), now)
    return last && this.#spent && meanActive(last, this.#spent, countCpus(this.#host))
  }
}
