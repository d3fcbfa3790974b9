/** Samples the loads of all containers that are read, in slices, so that no request waits for long. */

import type { Clock } from '../host/host.ts'
import type { ContainerView } from './container-view.ts'

/** Loads are sampled for so long at a time, for all containers together: a request that comes meanwhile waits. */
const SLICE_USEC = 2000

/** After a slice no load is sampled for so many times as long as it took: most of the time is for requests. */
const REST = 4

type Sampled = Pick<ContainerView, 'dueUsec' | 'tick'>

export class Sampling {
  readonly #clock: Pick<Clock, 'monotonicUsec'>
  /** Views whose load is sampled, those that were sampled longest ago first. */
  readonly #sampled = new Set<Sampled>()
  /** When the next load is to be sampled, in microseconds of CLOCK_MONOTONIC. */
  #dueUsec = Number.POSITIVE_INFINITY
  /** No load is sampled before this time of CLOCK_MONOTONIC. */
  #restUsec = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'monotonicUsec'>) {
    this.#clock = clock
  }

  /** Does nothing for a view whose load nobody has read. */
  add(view: Sampled): void {
    if (view.dueUsec === undefined) return
    this.#sampled.add(view)
    this.#dueUsec = Math.min(this.#dueUsec, view.dueUsec)
  }

  has(view: Sampled): boolean {
    return this.#sampled.has(view)
  }

  delete(view: Sampled): void {
    this.#sampled.delete(view)
  }

  /**
   * Samples the loads that are due, a slice at a time. Returns when to go on, in microseconds of CLOCK_MONOTONIC;
   * `undefined` when none is sampled any more.
   */
  tick(): number | undefined {
    if (this.#sampled.size === 0) return undefined
    const startUsec = this.#clock.monotonicUsec()
    const dueUsec = Math.max(this.#dueUsec, this.#restUsec)
    if (startUsec < dueUsec) return dueUsec
    this.#sampleUntil(startUsec, startUsec + SLICE_USEC)
    const endUsec = this.#clock.monotonicUsec()
    this.#restUsec = endUsec + REST * (endUsec - startUsec)
    return this.#sampled.size === 0 ? undefined : Math.max(this.#dueUsec, this.#restUsec)
  }

  /** A view that was sampled goes to the end, so that each one has its turn. */
  #sampleUntil(nowUsec: number, untilUsec: number): void {
    this.#dueUsec = Number.POSITIVE_INFINITY
    for (const view of [...this.#sampled]) {
      let dueUsec = view.dueUsec ?? nowUsec
      if (dueUsec <= nowUsec && this.#clock.monotonicUsec() < untilUsec) {
        this.#sampled.delete(view)
        const nextUsec = view.tick(untilUsec)
        if (nextUsec === undefined) continue
        this.#sampled.add(view)
        dueUsec = nextUsec
      }
      this.#dueUsec = Math.min(this.#dueUsec, dueUsec)
    }
  }
}
