/** Counts servers that ended before they answered anything: one that cannot live must not be started for ever. */

const MOST = 5
const WITHIN_MS = 10_000

export class Failures {
  #timesMs: number[] = []

  clear(): void {
    this.#timesMs = []
  }

  /** True when there were too many, `nowMs` included. */
  add(nowMs: number): boolean {
    this.#timesMs = [...this.#timesMs.filter(time => nowMs - time < WITHIN_MS), nowMs]
    return this.#timesMs.length >= MOST
  }
}
