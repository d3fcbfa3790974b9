/** Bounds the time for work that anybody can cause, so that nobody holds up all others with it. */

import type { Clock } from '../host/host.ts'

/** The work rests for so many times as long as it took: most of the time is for requests. */
const REST = 4

/** Who has rested may do so much before the next rest: what takes no longer than usual is not put off. */
const BURST_USEC = 10_000

export class Budget {
  readonly #clock: Pick<Clock, 'monotonicUsec'>
  /** The work rests until this time of CLOCK_MONOTONIC. */
  #restUsec = Number.NEGATIVE_INFINITY

  constructor(clock: Pick<Clock, 'monotonicUsec'>) {
    this.#clock = clock
  }

  /** Does `work` and returns what it returns; `undefined` while it is to rest. */
  spend<T>(work: (startUsec: number) => T): T | undefined {
    const startUsec = this.#clock.monotonicUsec()
    if (startUsec < this.#restUsec) return undefined
    try {
      return work(startUsec)
    } finally {
      const tookUsec = this.#clock.monotonicUsec() - startUsec
      const leastUsec = startUsec - (1 + REST) * BURST_USEC
      this.#restUsec = Math.max(this.#restUsec, leastUsec) + (1 + REST) * tookUsec
    }
  }
}
