/**
 * What is kept of a container's answers, as numbers. When it has ended, a server that comes later can ask nobody: its
 * cgroups are gone. What is not here cannot be known by then. Pressure and limits on huge pages are the host's, and a list
 * of v1's caches has no rows; a load, CPU time and disk counters are kept where they are accumulated. When a container was
 * forgotten, its devices and options are gone, too; and all of this when records are freed.
 */

import { Memory, type MemoryUsage } from '../cgroup/memory.ts'
import type { VisibleCpus } from '../proc/cpu/visible.ts'
import { type FindKept, type Kept, WHAT } from '../proc/kept.ts'
import type { Lasting } from './last-answers.ts'

/** How the numbers of an answer are made, and read again. Another layout gets another number in WHAT. */
interface Layout<T> {
  /** Writes the numbers behind one another, and returns where they end; `undefined` where there is no room. */
  write(answer: T, to: Float64Array, at: number): number | undefined
  /** Throws a RangeError for numbers that are none of this layout. */
  read(numbers: Numbers): T
}

/** Larger answers, such as a cpuset in more than 60 pieces, are not kept. */
const MOST_NUMBERS = 128

/** All answers are written and read here, one after the other. */
const room = new Float64Array(MOST_NUMBERS)

export interface LastKnown {
  memory: Lasting<Memory | undefined>
  cpus: Lasting<VisibleCpus>
  age: Lasting<number>
  bootOffset: Lasting<number>
}

/** When the init of a container was created that has left these; `undefined` where no answer is among them. */
export function keptStartTicks(find: FindKept): number | undefined {
  for (const what of [WHAT.age, WHAT.cpus, WHAT.memory]) {
    const kept = find(what)
    if (kept.count < 1 || kept.count > MOST_NUMBERS) continue
    kept.load(room)
    if (Number.isSafeInteger(room[0])) return room[0]
  }
  return undefined
}

/** `startTicks` is when the container's init was created: what an earlier run of the container has left is not meant. */
export const lastKnown = (find: FindKept, startTicks: number): LastKnown => ({
  memory: new KeptAnswer(find(WHAT.memory), startTicks, MEMORY),
  cpus: new KeptAnswer(find(WHAT.cpus), startTicks, CPUS),
  age: new KeptAnswer(find(WHAT.age), startTicks, AGE),
  bootOffset: new KeptAnswer(find(WHAT.bootOffset), startTicks, BOOT_OFFSET),
})

class KeptAnswer<T> implements Lasting<T> {
  readonly #kept: Kept
  readonly #startTicks: number
  readonly #layout: Layout<T>

  constructor(kept: Kept, startTicks: number, layout: Layout<T>) {
    this.#kept = kept
    this.#startTicks = startTicks
    this.#layout = layout
  }

  keep(answer: T): void {
    room[0] = this.#startTicks
    const end = this.#layout.write(answer, room, 1)
    if (end !== undefined) this.#kept.store(room, end)
  }

  recall(): T | undefined {
    const { count } = this.#kept
    if (count < 1 || count > MOST_NUMBERS) return undefined
    this.#kept.load(room)
    if (room[0] !== this.#startTicks) return undefined
    try {
      return this.#layout.read(new Numbers(room, 1, count))
    } catch (error) {
      if (error instanceof RangeError) return undefined
      throw error
    }
  }
}

/** Reads numbers one after the other. Each method throws a RangeError for one that is not of its kind. */
class Numbers {
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

const AGE: Layout<number> = {
  write(usec, to, at) {
    to[at] = usec
    return at + 1
  },
  read: numbers => numbers.within(0, Number.MAX_SAFE_INTEGER),
}

/** There is none in nearly all containers, and then nothing is kept. */
const BOOT_OFFSET: Layout<number> = {
  write(usec, to, at) {
    to[at] = usec
    return usec === 0 ? undefined : at + 1
  },
  read: numbers => numbers.within(-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
}

/** The count and what the quota is worth, then the first and the last of each row of CPUs. */
const CPUS: Layout<VisibleCpus> = {
  write({ effective, count, quotaCpus }, to, at) {
    to[at] = count
    to[at + 1] = quotaCpus
    let end = at + 2
    for (const cpu of effective) {
      if (end > at + 2 && to[end - 1] === cpu - 1) to[end - 1] = cpu
      else {
        if (end + 2 > to.length) return undefined
        to[end++] = cpu
        to[end++] = cpu
      }
    }
    return end
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

/** NR_CPUS has four digits at most. */
const MOST_CPUS = 9999

/** Which parts of a Memory there are. */
const OWN = 1
const OTHER_LEVEL = 2
const SWAP = 4
const LEVEL_SWAP = 8

/** The limit and the parts, then swap, the usage of the own cgroup, and that of the level, as far as there are any. */
const MEMORY: Layout<Memory | undefined> = {
  write(memory, to, at) {
    if (memory === undefined) return undefined
    const { limitBytes, own, level, swap } = memory
    const parts =
      (own === undefined ? 0 : OWN) +
      (level === own ? 0 : OTHER_LEVEL) +
      (swap === undefined ? 0 : SWAP) +
      (swap?.levelUsedBytes === undefined ? 0 : LEVEL_SWAP)
    to[at] = limitBytes
    to[at + 1] = parts
    let end = at + 2
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
