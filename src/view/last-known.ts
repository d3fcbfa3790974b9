/**
 * What is kept of a container's answers, as numbers. When it has ended, a server that comes later can ask nobody: its
 * cgroups are gone. What is not here cannot be known by then. Pressure and limits on huge pages are the host's, and a list
 * of v1's caches has no rows; a load, CPU time and disk counters are kept where they are accumulated. When a container was
 * forgotten, its devices and options are gone, too; and all of this when records are freed.
 */

import type { Memory } from '../cgroup/memory.ts'
import type { EventCounts } from '../cgroup/memory-events.ts'
import type { VisibleCpus } from '../proc/cpu/visible.ts'
import { type FindKept, type Kept, WHAT } from '../proc/kept.ts'
import { AGE, BOOT_OFFSET, CPUS, EVENTS, type Layout, MEMORY, Numbers } from './answer-layouts.ts'
import type { Lasting } from './last-answers.ts'

/** Larger answers, such as a cpuset in more than 60 pieces, are not kept. */
const MOST_NUMBERS = 128

/** All answers are written and read here, one after the other. */
const room = new Float64Array(MOST_NUMBERS)

export interface LastKnown {
  memory: Lasting<Memory | undefined>
  events: Lasting<EventCounts | undefined>
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
  events: new KeptAnswer(find(WHAT.events), startTicks, EVENTS),
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
    // The answer before is not the last one any more.
    else if (this.#kept.count > 1) this.#kept.store(room, 1)
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
