/** How answers of a view are kept as numbers: what is written here is read again by another server, which may be newer. */

import { Memory, type MemoryUsage } from '../cgroup/memory.ts'
import { type EventCounts, makeEventCounts } from '../cgroup/memory-events.ts'
import type { VisibleCpus } from '../proc/cpu/visible.ts'

/** Another layout of an answer gets another number in WHAT. */
export interface Layout<T> {
  /** Writes the numbers behind one another, and returns where they end; `undefined` where there is no room. */
  write(answer: T, to: Float64Array, at: number): number | undefined
  /** Throws a RangeError for numbers that are none of this layout. */
  read(numbers: Numbers): T
}

/** Reads numbers one after the other. Each method throws a RangeError for one that is not of its kind. */
export class Numbers {
  readonly #numbers: Float64Array
  readonly #end: number
  #at: number

  constructor(numbers: Float64Array, at: number, end: number) {
    this.#numbers = numbers
    this.#at = at
    this.#end = end
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end
  }

  natural(): number {
    const number = this.within(0, Number.MAX_SAFE_INTEGER)
    if (!Number.isInteger(number)) throw damaged(`${number}`)
    return number
  }

  /** A number from `least` to `most`, which may be `Infinity`. */
  within(least: number, most: number): number {
    const number = this.#at < this.#end ? (this.#numbers[this.#at++] as number) : Number.NaN
    if (number >= least && number <= most) return number
    throw damaged(`${number}`)
  }

  limit(): number {
    return this.within(0, Number.POSITIVE_INFINITY)
  }
}

const damaged = (what: string) =>
  new RangeError(`Cannot use ${what} of a container that has ended: what was kept is damaged`)

export const AGE: Layout<number> = {
  write(usec, to, at) {
    to[at] = usec
    return at + 1
  },
  read: numbers => numbers.within(0, Number.MAX_SAFE_INTEGER),
}

/** There is none in nearly all containers, and then nothing is kept. */
export const BOOT_OFFSET: Layout<number> = {
  write(usec, to, at) {
    to[at] = usec
    return usec === 0 ? undefined : at + 1
  },
  read: numbers => numbers.within(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
}

/** The count and what the quota is worth, then the first and the last of each row of CPUs. */
export const CPUS: Layout<VisibleCpus> = {
  write({ effective, count, quotaCpus }, to, at) {
    const rows = rowsOf(effective)
    if (at + 2 + rows.length > to.length) return undefined
    to[at] = count
    to[at + 1] = quotaCpus
    for (let i = 0; i < rows.length; i++) to[at + 2 + i] = rows[i] as number
    return at + 2 + rows.length
  },
  read(numbers) {
    const count = numbers.natural()
    const quotaCpus = numbers.within(0, count)
    const effective: number[] = []
    while (!numbers.isAtEnd) {
      const first = numbers.natural()
      const last = numbers.natural()
      if (first <= (effective.at(-1) ?? -1) || last > MOST_CPUS) throw damaged('CPUs')
      for (let cpu = first; cpu <= last; cpu++) effective.push(cpu)
    }
    if (count < 1 || count > effective.length || quotaCpus === 0) throw damaged('CPUs')
    return { effective, count, quotaCpus }
  },
}

/** By the list, which stays the same for as long as its CPUs do. */
const rowsByCpus = new WeakMap<readonly number[], readonly number[]>()

function rowsOf(cpus: readonly number[]): readonly number[] {
  const known = rowsByCpus.get(cpus)
  if (known !== undefined) return known
  const rows: number[] = []
  for (const cpu of cpus) {
    if (rows.at(-1) === cpu - 1) rows[rows.length - 1] = cpu
    else rows.push(cpu, cpu)
  }
  rowsByCpus.set(cpus, rows)
  return rows
}

/** NR_CPUS has four digits at most. */
const MOST_CPUS = 9999

/** Which parts of a Memory there are. */
const OWN = 1
const OTHER_LEVEL = 2
const SWAP = 4
const LEVEL_SWAP = 8
const UNTHROTTLED = 16

/**
 * The limit and the parts, then what is not throttled, swap, the usage of the own cgroup, and that of the level, as far
 * as there are any.
 */
export const MEMORY: Layout<Memory | undefined> = {
  write(memory, to, at) {
    if (memory === undefined) return undefined
    const { limitBytes, unthrottledBytes, own, level, swap } = memory
    const isThrottled = unthrottledBytes !== Number.POSITIVE_INFINITY
    const parts =
      (own === undefined ? 0 : OWN) +
      (level === own ? 0 : OTHER_LEVEL) +
      (swap === undefined ? 0 : SWAP) +
      (swap?.levelUsedBytes === undefined ? 0 : LEVEL_SWAP) +
      (isThrottled ? UNTHROTTLED : 0)
    to[at] = limitBytes
    to[at + 1] = parts
    let end = at + 2
    if (isThrottled) to[end++] = unthrottledBytes
    if (swap !== undefined) {
      to[end++] = swap.limitBytes
      to[end++] = swap.memswLimitBytes
      to[end++] = swap.usedBytes
      if (swap.levelUsedBytes !== undefined) to[end++] = swap.levelUsedBytes
    }
    if (own !== undefined) end = writeUsage(own, to, end)
    return level === own ? end : writeUsage(level, to, end)
  },
  read(numbers) {
    const memory = new Memory()
    memory.limitBytes = numbers.limit()
    const parts = numbers.natural()
    if (parts & UNTHROTTLED) memory.unthrottledBytes = numbers.natural()
    if (parts & SWAP) {
      memory.swap = {
        limitBytes: numbers.limit(),
        memswLimitBytes: numbers.limit(),
        usedBytes: numbers.natural(),
        levelUsedBytes: parts & LEVEL_SWAP ? numbers.natural() : undefined,
      }
    }
    if (parts & OWN) memory.own = readUsage(numbers, memory.ownUsage)
    if (parts & OTHER_LEVEL) memory.level = readUsage(numbers, memory.levelUsage)
    if (!numbers.isAtEnd) throw damaged('memory')
    return memory
  },
}

function writeUsage({ usageBytes, stat }: MemoryUsage, to: Float64Array, at: number): number {
  to[at] = usageBytes
  for (let i = 0; i < stat.length; i++) to[at + 1 + i] = stat[i] as number
  return at + 1 + stat.length
}

function readUsage(numbers: Numbers, usage: MemoryUsage): MemoryUsage {
  usage.usageBytes = numbers.natural()
  for (let i = 0; i < usage.stat.length; i++) usage.stat[i] = numbers.limit()
  return usage
}

/** The counts one behind the other, and NONE where the kernel gives none. */
export const EVENTS: Layout<EventCounts | undefined> = {
  write(events, to, at) {
    if (events === undefined) return undefined
    for (let i = 0; i < events.length; i++)
      to[at + i] = Number.isNaN(events[i]) ? NONE : (events[i] ?? NONE)
    return at + events.length
  },
  read(numbers) {
    const events = makeEventCounts()
    for (let i = 0; i < events.length; i++) {
      const count = numbers.within(NONE, Number.MAX_SAFE_INTEGER)
      if (count !== NONE) events[i] = count
    }
    if (!numbers.isAtEnd) throw damaged('events')
    return events
  },
}

const NONE = -1
