/**
 * Counts a container's threads by what they do, as the kernel counts the machine's for the load average. A container may
 * have any number of threads and cgroups: they are counted little by little, up to a limit.
 */

import { FrozenBelow } from '../cgroup/freezer.ts'
import type { Group } from '../cgroup/group.ts'
import type { Host } from '../host/host.ts'
import { parseInnermostPid, parseTaskStateBytes } from '../host/proc-pid.ts'

export interface ThreadCount {
  running: number
  /** Threads in uninterruptible sleep; idle kernel threads and frozen ones do not count. */
  blocked: number
  threads: number
}

/** Threads and cgroups beyond these are left out: a thread takes some 20 us, a cgroup 60. */
const MOST_THREADS = 20_000
const MOST_GROUPS = 4096

/** The kernel's texts about one thread. status may list 65 536 groups of users before the pids. */
const MOST_THREAD_BYTES = 16 * 1024

/**
 * The newest thread is taken to be among this many with the largest pids: pids come round, so it need not have the
 * largest.
 */
const NEWEST = 4
const NONE = new Float64Array()

export class ThreadCounting {
  readonly #host: Host
  readonly #frozen: FrozenBelow | undefined
  readonly #steps: Iterator<void>
  #isListable = false
  readonly #listed: number[] = []
  /** Ascending, once all are listed; one that is listed twice counts once. */
  #tids: Float64Array | undefined
  #looked = 0
  #count: ThreadCount = { running: 0, blocked: 0, threads: 0 }

  /** `freezer` is the container's cgroup in v1's hierarchy of that name, if there is one. */
  constructor(host: Host, tasks: Group, freezer?: Group) {
    this.#host = host
    this.#frozen = freezer && new FrozenBelow(host, freezer)
    this.#steps = this.#walk(tasks)
  }

  /** Goes on counting until then, by the host's CLOCK_MONOTONIC. Returns whether all is counted. */
  advance(untilUsec: number): boolean {
    const { clock } = this.#host
    for (;;) {
      if (this.#steps.next().done) return true
      if (clock.monotonicUsec() >= untilUsec) return false
    }
  }

  /**
   * What was counted. Threads that were not looked at yet are taken to do what the others do. `undefined` when the
   * threads cannot be listed.
   */
  get count(): ThreadCount | undefined {
    const listed = this.#tids?.length ?? this.#listed.length
    if (!this.#isListable) return undefined
    if (this.#looked === listed) return this.#count
    if (this.#looked === 0) return { ...this.#count, threads: listed }
    const estimate = (count: number) => Math.round((count * listed) / this.#looked)
    const { running, blocked, threads } = this.#count
    return { running: estimate(running), blocked: estimate(blocked), threads: estimate(threads) }
  }

  /** The newest threads, as the host numbers them; none before all are listed. */
  get newest(): Float64Array {
    const tids = this.#tids
    return tids === undefined ? NONE : tids.slice(Math.max(tids.length - NEWEST, 0))
  }

  /** Each step is short: a thread, or a cgroup. */
  *#walk(tasks: Group): Generator<void> {
    const tids = this.#listed
    const file = tasks.version === 1 ? 'tasks' : 'cgroup.threads'
    const own = tasks.read(file)
    if (own === undefined) return
    this.#isListable = true
    addThreads(tids, own)
    yield
    const groups = tasks.children(MOST_GROUPS)
    for (let i = 0; i < groups.length && tids.length < MOST_THREADS; i++) {
      yield
      const group = groups[i] as Group
      addThreads(tids, group.read(file) ?? '')
      group.close()
      for (const child of group.children(MOST_GROUPS - groups.length)) groups.push(child)
    }
    yield
    this.#tids = sortOnce(tids)
    for (const tid of this.#tids) {
      yield
      this.#look(tid)
    }
  }

  #look(tid: number): void {
    this.#looked++
    const state = readState(this.#host, tid)
    // The thread has ended since it was listed.
    if (state === undefined) return
    this.#count.threads++
    // The frozen threads of v1 are shown as D, and as R by Linux 6.1 and some later: task_state_index() of linux/sched.h.
    if ((state !== 'R' && state !== 'D') || this.#frozen?.has(tid)) return
    if (state === 'R') this.#count.running++
    else this.#count.blocked++
  }
}

/** A thread outside our pid namespace is listed as 0. */
function addThreads(tids: number[], text: string): void {
  for (let at = 0; at < text.length && tids.length < MOST_THREADS; ) {
    let end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    const tid = Number(text.slice(at, end))
    if (Number.isSafeInteger(tid) && tid > 0) tids.push(tid)
    at = end + 1
  }
}

/** A thread that moves from one cgroup to another meanwhile may be listed twice. */
function sortOnce(tids: readonly number[]): Float64Array {
  const sorted = Float64Array.from(tids).sort()
  return sorted.filter((tid, i) => tid !== sorted[i - 1])
}

/**
 * The stat file in a thread's task directory is about that thread alone. The one in /proc/TID adds up the times of all
 * threads of the process, fs/proc/array.c, which takes too long for each of thousands of threads.
 */
function readState(host: Host, tid: number): string | undefined {
  const stat =
    host.tryBytes(`proc/${tid}/task/${tid}/stat`, MOST_THREAD_BYTES) ??
    host.tryBytes(`proc/${tid}/stat`, MOST_THREAD_BYTES)
  return stat === undefined ? undefined : parseTaskStateBytes(stat)
}

/**
 * The pid that the container gave to a thread, by the number that the host gave it: only status tells, which takes twice
 * as long as stat.
 */
export function readInnermostPid(host: Host, tid: number): number | undefined {
  return parseInnermostPid(host.tryRead(`proc/${tid}/status`, MOST_THREAD_BYTES) ?? '')
}
