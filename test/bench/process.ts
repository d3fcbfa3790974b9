/** What a process has used: CPU time by its clock, which counts its threads that have ended too, and memory. */

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { checked, int, libc, pointer } from '../../src/sys/libc.ts'

const calls = libc({ clock_gettime: { args: [int, pointer], returns: int } })
const timespec = new BigInt64Array(2)

/** CPUCLOCK_SCHED, and the pid as clock_getcpuclockid(3) puts it into a clock's number. */
const clockOf = (pid: number) => (~pid << 3) | 2

export function cpuUsec(pid: number): number {
  checked(
    calls().clock_gettime(clockOf(pid), timespec),
    'clock_gettime',
    `ask for the CPU time of ${pid}`,
  )
  const [seconds = 0n, nanoseconds = 0n] = timespec
  return Number(seconds) * 1e6 + Number(nanoseconds) / 1000
}

interface MemoryUse {
  anonymousKib: number
  /** Its share of the pages of files: most of the executable's. */
  fileKib: number
}

/** /proc/PID/smaps_rollup, in proportion to those who share the pages. */
export function memoryOf(pid: number): MemoryUse {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const field = (name: string) => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0)
  return { anonymousKib: field('Pss_Anon'), fileKib: field('Pss_File') + field('Pss_Shmem') }
}

/** What it has for itself alone, files and shared memory left out. */
export function anonymousMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) / 1024
}

/** A process whose CPU time grows by no more than a tick in half a second is at rest. */
const REST_USEC = 10_000
const LOOK_MS = 500
const MOST_REST_MS = 60_000

/** Waits until processes that were just started have done what they do then. Returns the seconds that it took. */
export async function untilRest(pids: readonly number[]): Promise<number> {
  const started = performance.now()
  const used = () => pids.reduce((sum, pid) => sum + cpuUsec(pid), 0)
  for (let before = used(); performance.now() - started < MOST_REST_MS; ) {
    await sleep(LOOK_MS)
    const after = used()
    if (after - before <= REST_USEC) break
    before = after
  }
  return (performance.now() - started) / 1000
}
