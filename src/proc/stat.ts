/**
 * /proc/stat, proc_stat(5). The cpu lines and the numbers of tasks are the container's. All else is the
 * host's, btime too: the start times of processes count from the host's boot.
 */

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
import type { Load } from './load.ts'
import type { View } from './view.ts'

export function renderStat(view: View): string {
  const bootOffsetSeconds = Math.floor(view.bootOffsetUsec() / 1e6)
  return limitStat(view.hostFile('proc/stat'), view.cpuTimes(), view.load(), bootOffsetSeconds)
}

/**
 * The host's text with the container's times, and its tasks where they are known. `bootOffsetSeconds`
 * is what the container's time namespace adds to the boot time clock, time_namespaces(7): its boot was
 * earlier by that.
 */
export function limitStat(
  host: string,
  times: CpuTimes,
  load: Pick<Load, 'running' | 'blocked'> | undefined,
  bootOffsetSeconds = 0,
): string {
  let rest = host.slice(endOfCpuLines(host))
  if (load !== undefined) {
    // The process that reads is running.
    rest = setLine(rest, 'procs_running', () => Math.max(load.running, 1))
    rest = setLine(rest, 'procs_blocked', () => load.blocked)
  }
  if (bootOffsetSeconds !== 0) {
    rest = setLine(rest, 'btime', host => Number(host) - bootOffsetSeconds)
  }
  return renderCpuLines(times) + rest + (rest === '' || rest.endsWith('\n') ? '' : '\n')
}

/** The aggregate line has two blanks after its name. */
export function renderCpuLines({ numbers, at, count }: CpuTimes): string {
  let text = `cpu ${renderTicks(numbers, at)}`
  for (let i = 0; i < count; i++) {
    text += `cpu${i}${renderTicks(numbers, at + (1 + i) * TIME_FIELDS)}`
  }
  return text
}

function renderTicks(numbers: Float64Array, at: number): string {
  let text = ''
  for (let i = 0; i < TIME_FIELDS; i++) text += ` ${toTicks(numbers[at + i] as number)}`
  return `${text}\n`
}

/** The `cpuN` lines of the host's /proc/stat by N. Kernels before 2.6.33 have fewer columns, which are 0. */
export function parseHostCpus(text: string): HostCpus {
  const cpus = new Map<number, CpuTime>()
  for (let at = 0; text.startsWith('cpu', at); ) {
    const end = endOfLine(text, at)
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

function parseTicks(ticks: readonly string[]): CpuTime {
  const time = { ...NO_TIME }
  CPU_TIME_FIELDS.forEach((field, i) => {
    const value = Number(ticks[i] ?? 0)
    if (Number.isSafeInteger(value) && value >= 0) time[field] = value * TICK_USEC
  })
  return time
}

/** All cpu lines come first: fs/proc/stat.c. */
function endOfCpuLines(text: string): number {
  let at = 0
  while (text.startsWith('cpu', at)) at = endOfLine(text, at) + 1
  return at
}

/** Gives the line `key NUMBER` another number, if there is one. */
function setLine(text: string, key: string, change: (host: string) => number): string {
  const at = text.startsWith(`${key} `) ? 0 : text.indexOf(`\n${key} `) + 1
  if (!text.startsWith(`${key} `, at)) return text
  const end = endOfLine(text, at)
  const value = change(text.slice(at + key.length + 1, end))
  return `${text.slice(0, at)}${key} ${value}${text.slice(end)}`
}

function endOfLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end
}
