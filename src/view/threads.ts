/** Counts a container's threads by what they do, as the kernel counts the machine's for the load average. */

import type { Group } from '../cgroup/group.ts'
import type { Host } from '../host/host.ts'
import { parseInnermostPid, parseTaskState } from '../host/proc-pid.ts'

export interface ThreadCount {
  running: number
  /** Threads in uninterruptible sleep; idle kernel threads do not count. */
  blocked: number
  threads: number
  /** The largest pid that the container gave to one of its newest threads; 1 when it is not known. */
  lastPid: number
}

const MOST_THREADS = 20_000
const MOST_GROUPS = 20_000

/**
 * The newest thread is taken to be among this many with the largest pids: pids come round, so it need not have the
 * largest.
 */
const NEWEST = 4

/** `undefined` when the threads cannot be listed, or are too many to look at. */
export function countThreads(host: Host, tasks: Group): ThreadCount | undefined {
  const tids = listThreads(tasks)
  if (tids === undefined) return undefined
  const count: ThreadCount = { running: 0, blocked: 0, threads: 0, lastPid: 1 }
  for (const tid of tids) {
    const state = readState(host, tid)
    // The thread has ended since it was listed.
    if (state === undefined) continue
    count.threads++
    if (state === 'R') count.running++
    else if (state === 'D') count.blocked++
  }
  for (const tid of largest(tids)) {
    const status = host.tryRead(`proc/${tid}/status`)
    count.lastPid = Math.max(count.lastPid, parseInnermostPid(status ?? '') ?? 1)
  }
  return count
}

/** Thread ids of the cgroup and of all cgroups below it. A thread that moves meanwhile may be listed twice. */
function listThreads(tasks: Group): Set<number> | undefined {
  const file = tasks.version === 1 ? 'tasks' : 'cgroup.threads'
  const own = tasks.read(file)
  if (own === undefined) return undefined
  const tids = new Set<number>()
  addThreads(tids, own)
  const groups = tasks.children()
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i] as Group
    addThreads(tids, group.read(file) ?? '')
    group.close()
    for (const child of group.children()) groups.push(child)
    if (tids.size > MOST_THREADS || groups.length > MOST_GROUPS) return undefined
  }
  return tids.size > MOST_THREADS ? undefined : tids
}

/** A thread outside our pid namespace is listed as 0. */
function addThreads(tids: Set<number>, text: string): void {
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    const tid = Number(text.slice(at, end))
    if (Number.isSafeInteger(tid) && tid > 0) tids.add(tid)
    at = end + 1
  }
}

/**
 * The stat file in a thread's task directory is about that thread alone. The one in /proc/TID adds up the times of all
 * threads of the process, fs/proc/array.c, which takes too long for each of thousands of threads.
 */
function readState(host: Host, tid: number): string | undefined {
  const stat = host.tryRead(`proc/${tid}/task/${tid}/stat`) ?? host.tryRead(`proc/${tid}/stat`)
  return stat === undefined ? undefined : parseTaskState(stat)
}

function largest(tids: Iterable<number>): number[] {
  const found: number[] = []
  for (const tid of tids) {
    if (found.length === NEWEST && tid < (found[0] as number)) continue
    found.push(tid)
    found.sort((a, b) => a - b)
    if (found.length > NEWEST) found.shift()
  }
  return found
}
