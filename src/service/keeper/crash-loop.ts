/**
 * Counts servers that ended before they answered anything: one that cannot live must not be started for ever, while
 * its readers wait.
 */

const MOST = 5
const WITHIN_MS = 10_000

/** What is killed from outside, by a person or for want of memory, says little about the next one. */
const KILLED_FROM_OUTSIDE = 0.1

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 320

interface Failure {
  timeMs: number
  weight: number
}

export class Failures {
  #failures: Failure[] = []

  /** A server has answered. */
  clear(): void {
    this.#failures = []
  }

  add(nowMs: number, fromOutside: boolean): void {
    this.#failures = this.#failures.filter(({ timeMs }) => nowMs - timeMs < WITHIN_MS)
    this.#failures.push({ timeMs: nowMs, weight: fromOutside ? KILLED_FROM_OUTSIDE : 1 })
  }

  get areTooMany(): boolean {
    // In tenths the sum of many is exact.
    const tenths = this.#failures.reduce((sum, { weight }) => sum + Math.round(weight * 10), 0)
    return tenths >= MOST * 10
  }

  /** How long to wait before the next one is started: nothing after the first failure. */
  get pauseMs(): number {
    const before = this.#failures.length - 1
    return before < 1 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (before - 1), LONGEST_PAUSE_MS)
  }
}
