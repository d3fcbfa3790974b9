/**
 * /proc/stat, proc_stat(5). The cpu lines and the numbers of tasks are the container's. All else is the
 * host's, btime too: the start times of processes count from the host's boot.
 */

import { endOfLine } from '../cgroup/numbers.ts'
import { BytesText } from './bytes-text.ts'
import type { HostCpus } from './cpu/counters.ts'
import {
  CPU_TIME_FIELDS,
  type CpuTime,
  type CpuTimes,
  NO_TIME,
  TICK_USEC,
  TIME_FIELDS,
  toTicks,
} from './cpu/time.ts'
import type { Threads } from './load.ts'
import type { HostText, View } from './view.ts'

export function renderStat(view: View): Buffer {
  const bootOffsetSeconds = Math.floor(view.bootOffsetUsec() / 1e6)
  const times = view.cpuTimes()
  const threads = view.threads()
  return limitStat(view.hostText('proc/stat'), times, threads, bootOffsetSeconds)
}

/**
 * The host's text with the container's times, and its tasks where they are known. `bootOffsetSeconds`
 * is what the container's time namespace adds to the boot time clock, time_namespaces(7): its boot was
 * earlier by that.
 */
export function limitStat(
  { buffer, length }: Pick<HostText, 'buffer' | 'length'>,
  times: CpuTimes,
  threads: Threads | undefined,
  bootOffsetSeconds = 0,
): Buffer {
  let at = endOfCpuLines(buffer, length)
  text.begin(mostCpuBytes(times.count) + length - at + MOST_MORE_BYTES)
  putCpuLines(text, times)
  while (at < length) {
    const end = Math.min(endOfLine(buffer, at, length) + 1, length)
    const key = findKey(buffer, at, end)
    if (key === 'procs_running' && threads !== undefined) {
      // The process that reads is running.
      text.putLine(key, Math.max(threads.running, 1))
    } else if (key === 'procs_blocked' && threads !== undefined) {
      text.putLine(key, threads.blocked)
    } else if (key === 'btime' && bootOffsetSeconds !== 0) {
      const host = Buffer.from(buffer.subarray(at + 'btime '.length, end))
        .toString()
        .trim()
      text.putText(`btime ${earlierBoot(host, bootOffsetSeconds)}\n`)
    } else {
      text.putBytes(buffer, at, end)
    }
    at = end
  }
  text.endLine()
  return text.copy()
}

/**
 * A boot time in seconds that is `seconds` earlier, 0 for what is no number. fs/proc/stat.c writes one before 1970, as
 * where the clock has not been set yet, as 2^64 more.
 */
function earlierBoot(host: string, seconds: number): string {
  if (!/^\d+$/.test(host)) return '0'
  const boot = Number(host) - seconds
  if (Number.isSafeInteger(Number(host)) && boot >= 0) return String(boot)
  return String(BigInt.asUintN(64, BigInt(host) - BigInt(seconds)))
}

/** All texts are made here, one after the other. */
const text = new BytesText()

/** The lines that are not always the host's. */
const KEYS = ['procs_running', 'procs_blocked', 'btime'] as const
const KEY_BYTES = KEYS.map(key => Buffer.from(`${key} `))

/** Which of them the line is. */
function findKey(
  buffer: Uint8Array,
  start: number,
  end: number,
): (typeof KEYS)[number] | undefined {
  for (let i = 0; i < KEYS.length; i++) {
    const key = KEY_BYTES[i] as Buffer
    let same = 0
    while (same < key.length && start + same < end && buffer[start + same] === key[same]) same++
    if (same === key.length) return KEYS[i]
  }
  return undefined
}

/** The lines of a container's CPUs. The aggregate line has two blanks after its name. */
export function renderCpuLines(times: CpuTimes): Buffer {
  text.begin(mostCpuBytes(times.count))
  putCpuLines(text, times)
  return text.copy()
}

function putCpuLines(to: BytesText, { numbers, at, count }: CpuTimes): void {
  to.putText('cpu ')
  putTicks(to, numbers, at)
  for (let i = 0; i < count; i++) {
    to.putText('cpu')
    to.putNumber(i)
    putTicks(to, numbers, at + (1 + i) * TIME_FIELDS)
  }
}

function putTicks(to: BytesText, numbers: Float64Array, at: number): void {
  for (let i = 0; i < TIME_FIELDS; i++) {
    to.putText(' ')
    to.putNumber(toTicks(numbers[at + i] as number))
  }
  to.putText('\n')
}

/** A name of a CPU, and for each number a blank and 16 digits. */
const mostCpuBytes = (count: number) => (1 + count) * (16 + TIME_FIELDS * 17)

/** A few numbers may be longer than the host's. */
const MOST_MORE_BYTES = 128

/** The `cpuN` lines of the host's /proc/stat by N. Kernels before 2.6.33 have fewer columns, which are 0. */
export function parseHostCpus(text: string): HostCpus {
  const cpus = new Map<number, CpuTime>()
  for (let at = 0; text.startsWith('cpu', at); ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const [name = '', ...ticks] = text
      .slice(at + 'cpu'.length, end)
      .trimEnd()
      .split(' ')
    if (CPU_NUMBER.test(name)) cpus.set(Number(name), parseTicks(ticks))
    at = end + 1
  }
  return cpus
}

/** NR_CPUS has four digits at most. */
const CPU_NUMBER = /^\d{1,6}$/

/** Of more than that, which is 285 years, microseconds are no exact numbers. */
const MOST_TICKS = Math.floor(Number.MAX_SAFE_INTEGER / TICK_USEC)

function parseTicks(ticks: readonly string[]): CpuTime {
  const time = { ...NO_TIME }
  CPU_TIME_FIELDS.forEach((field, i) => {
    const value = Number(ticks[i] ?? 0)
    if (Number.isInteger(value) && value >= 0) time[field] = Math.min(value, MOST_TICKS) * TICK_USEC
  })
  return time
}

/** All cpu lines come first: fs/proc/stat.c. */
function endOfCpuLines(buffer: Uint8Array, length: number): number {
  let at = 0
  while (at + 3 <= length && buffer[at] === C && buffer[at + 1] === P && buffer[at + 2] === U) {
    at = endOfLine(buffer, at, length) + 1
  }
  return Math.min(at, length)
}

const [C, P, U] = Buffer.from('cpu')
