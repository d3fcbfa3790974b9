/**
 * How long a server may be silent until it is replaced. Each replacement doubles that for the servers after it: should a
 * machine be so slow that servers only seem to hang, one of them gets the time that it needs.
 */

/**
 * A server hangs when it is silent for longer than this. On a machine under load an answer takes much less. It is a little
 * less than three periods of the watchdog, so that a hung server is noticed after three to four, within 1.6 s.
 */
const HUNG_MS = 1150

/**
 * A server that has just been started gets as long as this to give its first answer: loading it takes 50 ms, and seconds
 * on a machine that boots, or that emulates another processor.
 */
const START_MS = 15_000

const MOST_TIMES = 4

/** A server that has answered, and was not replaced for so long, is followed by one that gets no more than others. */
const CALM_MS = 60_000

/** One that has not answered yet may have had no request: it is calm after so long. */
const LONG_CALM_MS = 600_000

export class Replacements {
  #times = 1
  #lastMs = Number.NEGATIVE_INFINITY

  /** Adds one at `nowMs`, on a clock that never goes back. */
  add(nowMs: number, hasAnswered: boolean): void {
    this.#times = Math.min(MOST_TIMES, 2 * this.#timesAt(nowMs, hasAnswered))
    this.#lastMs = nowMs
  }

  /** How long a server may be silent that was started at `startedMs`. `hasAnswered` says whether it has ever answered. */
  patienceMs(nowMs: number, hasAnswered: boolean, startedMs: number): number {
    const times = this.#timesAt(nowMs, hasAnswered)
    const startMs = hasAnswered ? 0 : startedMs + times * START_MS - nowMs
    return Math.max(times * HUNG_MS, startMs)
  }

  #timesAt(nowMs: number, hasAnswered: boolean): number {
    const calmMs = hasAnswered ? CALM_MS : LONG_CALM_MS
    return nowMs - this.#lastMs >= calmMs ? 1 : this.#times
  }
}
