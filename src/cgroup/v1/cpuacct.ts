/**
 * CPU time by cgroup v1: admin-guide/cgroup-v1/cpuacct.rst. The kernel got the files of this controller one after
 * another, so the one that says most is looked for first. All of them include the descendants.
 */

import type { Bytes } from '../../host/directory-file.ts'
import type { Host } from '../../host/host.ts'
import type { CpuRows, CpuUsage, CpuUsageReader } from '../cpu.ts'
import { findCpus } from '../cpuset.ts'
import type { Group } from '../group.ts'
import { endOfLine, findCount, MOST_DIGITS, NEWLINE, parseNanoseconds } from '../numbers.ts'

/** What was read last, of whichever container. */
const rows = { numbers: new Float64Array(3 * 64), count: 0 }
const usage: CpuUsage = { userUsec: 0, niceUsec: 0, systemUsec: 0, perCpu: rows }

export class CpuUsageV1 implements CpuUsageReader {
  readonly #group: Group
  readonly #host: Host | undefined

  /** `host` tells which CPUs the files without CPU numbers count; without it they are taken as 0, 1, 2, ... */
  constructor(group: Group, host?: Host) {
    this.#group = group
    this.#host = host
  }

  usage(): CpuUsage | undefined {
    const all = this.#group.bytes('cpuacct.usage_all')
    if (all !== undefined && parseUsageAll(all) !== undefined) return sumUp()
    return this.#fillRows() ? sumUp() : this.#usageTotal()
  }

  #fillRows(): boolean {
    const user = parsePerCpu(this.#group.read('cpuacct.usage_percpu_user') ?? '')
    const system = parsePerCpu(this.#group.read('cpuacct.usage_percpu_sys') ?? '')
    const possible = () => findCpus(this.#host?.tryRead('sys/devices/system/cpu/possible')) ?? []
    if (user !== undefined && system !== undefined) {
      fillRows(user, possible(), (userUsec, k) => ({ userUsec, systemUsec: system[k] ?? 0 }))
      return true
    }
    const both = parsePerCpu(this.#group.read('cpuacct.usage_percpu') ?? '')
    if (both === undefined) return false
    const userShare = this.#userShare()
    fillRows(both, possible(), usec => split(usec, userShare))
    return true
  }

  #usageTotal(): CpuUsage | undefined {
    const usec = parseNanoseconds(this.#group.read('cpuacct.usage'))
    if (usec === undefined) return undefined
    return { ...split(usec, this.#userShare()), niceUsec: 0, perCpu: undefined }
  }

  /** The part of the CPU time that was user time, by the ticks of `cpuacct.stat`. */
  #userShare(): number {
    const stat = this.#group.read('cpuacct.stat') ?? ''
    const userTicks = findCount(stat, 'user') ?? 0
    const systemTicks = findCount(stat, 'system') ?? 0
    // Time that no tick has seen is user time, as in cputime_adjust() of kernel/sched/cputime.c.
    return systemTicks === 0 ? 1 : userTicks / (userTicks + systemTicks)
  }
}

/** The k-th number of the files without CPU numbers is that of the k-th possible CPU. */
function fillRows(
  usec: readonly number[],
  possible: readonly number[],
  make: (usec: number, k: number) => { userUsec: number; systemUsec: number },
): void {
  rows.count = 0
  usec.forEach((each, k) => {
    const { userUsec, systemUsec } = make(each, k)
    addRow(possible[k] ?? k, userUsec, systemUsec)
  })
}

function addRow(cpu: number, userUsec: number, systemUsec: number): void {
  const at = rows.count++ * 3
  if (at + 3 > rows.numbers.length) {
    const longer = new Float64Array(2 * rows.numbers.length)
    longer.set(rows.numbers)
    rows.numbers = longer
  }
  rows.numbers[at] = cpu
  rows.numbers[at + 1] = userUsec
  rows.numbers[at + 2] = systemUsec
}

function sumUp(): CpuUsage {
  usage.userUsec = 0
  usage.systemUsec = 0
  for (let at = 0; at < rows.count * 3; at += 3) {
    usage.userUsec += rows.numbers[at + 1] as number
    usage.systemUsec += rows.numbers[at + 2] as number
  }
  return usage
}

const HEADING = Buffer.from('cpu user system')
const SPACE = 32
const ZERO = 48

/**
 * Parses a heading, then lines `CPU USER SYSTEM` in nanoseconds, one for each possible CPU. What is returned holds until
 * the next call.
 */
export function parseUsageAll({ buffer, length }: Bytes): CpuRows | undefined {
  rows.count = 0
  for (let i = 0; i < HEADING.length; i++) if (buffer[i] !== HEADING[i]) return undefined
  let at = endOfLine(buffer, HEADING.length, length) + 1
  while (at < length) {
    const cpuEnd = endOfWord(buffer, at, length)
    const userEnd = endOfWord(buffer, cpuEnd + 1, length)
    const systemEnd = endOfWord(buffer, userEnd + 1, length)
    if (buffer[cpuEnd] !== SPACE || buffer[userEnd] !== SPACE) return undefined
    const cpu = scanDigits(buffer, at, cpuEnd)
    const userUsec = scanNanoseconds(buffer, cpuEnd + 1, userEnd)
    const systemUsec = scanNanoseconds(buffer, userEnd + 1, systemEnd)
    if (cpu < 0 || userUsec < 0 || systemUsec < 0) return undefined
    addRow(cpu, userUsec, systemUsec)
    at = endOfLine(buffer, systemEnd, length) + 1
  }
  return rows.count > 0 ? rows : undefined
}

function endOfWord(buffer: Uint8Array, start: number, length: number): number {
  let at = start
  while (at < length && buffer[at] !== SPACE && buffer[at] !== NEWLINE) at++
  return at
}

/** Whole microseconds; -1 for text that is no number. */
function scanNanoseconds(buffer: Uint8Array, start: number, end: number): number {
  const last = Math.max(end - 3, start)
  if (end - start > MOST_DIGITS || scanDigits(buffer, last, end) < 0) return -1
  return last === start ? 0 : scanDigits(buffer, start, last)
}

/** -1 for text that is no number. */
function scanDigits(buffer: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > MOST_DIGITS) return -1
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = (buffer[at] as number) - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Parses nanoseconds with blanks between them and at the end, into microseconds. */
export function parsePerCpu(text: string): number[] | undefined {
  const usec: number[] = []
  if (text.trim() === '') return undefined
  for (const word of text.trim().split(/\s+/)) {
    const value = parseNanoseconds(word)
    if (value === undefined) return undefined
    usec.push(value)
  }
  return usec
}

/** Both parts are whole microseconds, so that they make up exactly the time that was split. */
function split(usec: number, userShare: number): { userUsec: number; systemUsec: number } {
  const userUsec = Math.round(usec * userShare)
  return { userUsec, systemUsec: usec - userUsec }
}
