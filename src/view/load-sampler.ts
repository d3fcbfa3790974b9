/**
 * Samples what a container's threads do, for its load averages: the kernel keeps averages only for the whole machine.
 * The caller's clock drives the sampling, every 5 seconds while somebody reads.
 */

import type { Cgroup } from '../cgroup/cgroup.ts'
import type { Group } from '../cgroup/group.ts'
import { findCount } from '../cgroup/numbers.ts'
import type { Host } from '../host/host.ts'
import { LOAD_PERIOD_USEC, type Load, type Loads, NO_LOADS, stepLoads } from '../proc/load.ts'
import { countThreads, type ThreadCount } from './threads.ts'

/** After this long without a reader there are no samples until the next reader. */
const UNREAD_USEC = 600_000_000

/** What is remembered between samples, as plain JSON. Times are microseconds of CLOCK_MONOTONIC. */
export interface LoadState {
  loads: Loads
  count: ThreadCount | undefined
  lastPid: number
  /** The time up to which the averages are computed: the last point of the 5-second grid. */
  gridUsec: number
  passUsec: number
  readUsec: number
}

export class LoadSampler {
  readonly #host: Host
  readonly #cgroup: () => Pick<Cgroup, 'tasks' | 'freezer'>
  #loads: Loads = NO_LOADS
  #count: ThreadCount | undefined
  #lastPid = 1
  /** This and the next two times are microseconds of CLOCK_MONOTONIC. The averages are computed up to this one. */
  #gridUsec: number | undefined
  #passUsec = 0
  #readUsec = 0
  #state: LoadState | undefined

  /**
   * `cgroup` tells where the container's threads are listed now. Frozen threads are told from others by v2, or by v1's
   * freezer if there is one. The sampler goes on from a `state` that `toJSON` gave earlier since the machine's boot.
   */
  constructor(
    host: Host,
    cgroup: () => Pick<Cgroup, 'tasks' | 'freezer'>,
    state?: LoadState | undefined,
  ) {
    this.#host = host
    this.#cgroup = cgroup
    if (state === undefined) return
    this.#loads = state.loads
    this.#count = state.count
    this.#lastPid = state.lastPid
    this.#gridUsec = state.gridUsec
    this.#passUsec = state.passUsec
    this.#readUsec = state.readUsec
  }

  /** The same object is returned until the next sample; `undefined` before the first sample. */
  toJSON(): LoadState | undefined {
    if (this.#gridUsec === undefined) return undefined
    this.#state ??= {
      loads: this.#loads,
      count: this.#count,
      lastPid: this.#lastPid,
      gridUsec: this.#gridUsec,
      passUsec: this.#passUsec,
      readUsec: this.#readUsec,
    }
    return this.#state
  }

  /** When the next sample is to be taken, if anybody reads; `undefined` before the first sample. */
  get dueUsec(): number | undefined {
    return this.#gridUsec === undefined ? undefined : this.#gridUsec + LOAD_PERIOD_USEC
  }

  /** `undefined` as long as the threads could not be counted. */
  load(): Load | undefined {
    const now = this.#host.clock.monotonicUsec()
    this.#readUsec = now
    if (this.#gridUsec === undefined) {
      this.#gridUsec = now
      this.#pass(now)
    } else if (now - this.#passUsec >= LOAD_PERIOD_USEC) {
      this.#sample(now, this.#gridUsec)
    }
    if (this.#count === undefined) return undefined
    const { running, blocked, threads } = this.#count
    return { loads: this.#loads, running, blocked, threads, lastPid: this.#lastPid }
  }

  /**
   * Samples when it is time to. Returns when it is time again, in microseconds of CLOCK_MONOTONIC; `undefined` when
   * nobody has read for a while.
   */
  tick(): number | undefined {
    const now = this.#host.clock.monotonicUsec()
    if (this.#gridUsec === undefined || now - this.#readUsec > UNREAD_USEC) return undefined
    if (now - this.#gridUsec >= LOAD_PERIOD_USEC) this.#sample(now, this.#gridUsec)
    return this.dueUsec
  }

  /**
   * Brings the averages to the last point of the grid, as if the threads had always done since then what they do now.
   */
  #sample(now: number, gridUsec: number): void {
    this.#pass(now)
    const steps = Math.floor((now - gridUsec) / LOAD_PERIOD_USEC)
    this.#gridUsec = gridUsec + steps * LOAD_PERIOD_USEC
    if (this.#count === undefined) return
    this.#loads = stepLoads(this.#loads, this.#count.running + this.#count.blocked, steps)
  }

  /** Counts the threads. Where that fails, the count before it stays. */
  #pass(now: number): void {
    this.#state = undefined
    this.#passUsec = now
    const { tasks, freezer } = this.#cgroup()
    if (tasks === undefined) return
    const frozen = isFrozen(tasks, freezer)
    if (!frozen || this.#count === undefined) {
      this.#count = countThreads(this.#host, tasks) ?? this.#count
    }
    if (this.#count === undefined) return
    if (frozen) this.#count = { ...this.#count, running: 0, blocked: 0 }
    this.#lastPid = Math.max(this.#lastPid, this.#count.lastPid)
  }
}

/** Frozen threads are no load, though those of v1 show the state D: task_state_index() of linux/sched.h. */
function isFrozen(tasks: Group, freezer: Group | undefined): boolean {
  if (freezer?.read('freezer.state')?.trim() === 'FROZEN') return true
  return tasks.version === 2 && findCount(tasks.read('cgroup.events') ?? '', 'frozen') === 1
}
