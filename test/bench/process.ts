/** What a process has used: CPU time by its clock, which counts its threads that have ended too, and memory. */

import { readFileSync } from 'node:fs'
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
