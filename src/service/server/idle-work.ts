/**
 * Work that nobody waits for, in slices between requests: none while requests come, and most of the time of a quiet
 * server is still for those that may. When the work is over nothing is left to wake up for.
 */

/** Quiet begins so long after the last request: a hook that looks files up one after the other is not held up. */
const QUIET_MS = 5

/** A request that comes meanwhile waits for so long, and as much longer as one step of the work takes. */
const SLICE_MS = 1

/** A slice that takes so long was kept from running: others need the CPU more. */
const SLOW_MS = 20

/** After a slow slice there is none for so many times as long as it took. */
const SLOW_REST = 10

/** After so many slow slices the work is given up. */
const MOST_SLOW = 20

export class IdleWork {
  readonly #begin: () => Iterator<unknown> | undefined
  /** `undefined` when the work has not begun. */
  #steps: Iterator<unknown> | undefined
  /** No slice begins before. */
  #restMs: number
  #slow = 0
  #isOver = false
  /** There is nothing to do before the next request. */
  #isWaiting = false

  /** `begin` returns the steps of the work; `undefined` where it cannot begin before another request has come. */
  constructor(nowMs: number, begin: () => Iterator<unknown> | undefined) {
    this.#begin = begin
    this.#restMs = nowMs + QUIET_MS
  }

  /** To be called when requests were answered at `nowMs`. */
  served(nowMs: number): void {
    this.#restMs = nowMs + QUIET_MS
    this.#isWaiting = false
  }

  /**
   * Does a slice when it is time to. Returns the longest time to wait before the next call, in milliseconds.
   * `timeoutMs` is the limit that others want; -1 stands for no limit.
   */
  limit(timeoutMs: number, nowMs: number): number {
    if (this.#isOver || this.#isWaiting) return timeoutMs
    if (nowMs >= this.#restMs) this.#work(nowMs)
    if (this.#isOver || this.#isWaiting) return timeoutMs
    const leftMs = Math.max(Math.ceil(this.#restMs - nowMs), 0)
    return timeoutMs < 0 ? leftMs : Math.min(timeoutMs, leftMs)
  }

  #work(nowMs: number): void {
    try {
      this.#steps ??= this.#begin()
    } catch {
      // It is done for later readers alone: without it the first of them wait longer.
      this.#isOver = true
      return
    }
    this.#isWaiting = this.#steps === undefined
    if (this.#steps === undefined) return
    const endMs = this.#slice(this.#steps, nowMs)
    const tookMs = endMs - nowMs
    const isSlow = tookMs >= SLOW_MS
    if (isSlow) this.#slow++
    if (this.#slow === MOST_SLOW) this.#isOver = true
    if (this.#isOver) this.#end(this.#steps)
    this.#restMs = endMs + (isSlow ? SLOW_REST * tookMs : tookMs)
  }

  /** Has the work clean up after itself, wherever it was. */
  #end(steps: Iterator<unknown>): void {
    this.#steps = undefined
    try {
      steps.return?.()
    } catch {}
  }

  /** Returns when the slice has ended. Work that fails is over. */
  #slice(steps: Iterator<unknown>, startMs: number): number {
    for (let nowMs = startMs; ; ) {
      try {
        if (steps.next().done) this.#isOver = true
      } catch {
        this.#isOver = true
      }
      nowMs = performance.now()
      if (this.#isOver || nowMs - startMs >= SLICE_MS) return nowMs
    }
  }
}
