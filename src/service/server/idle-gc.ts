/**
 * What is done when nobody has asked for a while: memory that many requests have taken is given back. The collector runs
 * by itself only when more memory is wanted.
 */

/** So long without a request. */
const QUIET_MS = 1000

/** Requests that leave something worth it. */
const MANY = 5000

export class Leisure {
  readonly #collect: () => void
  #requests = 0
  #servedMs = 0

  constructor(collect: () => void) {
    this.#collect = collect
  }

  served(requests: number, nowMs: number): void {
    this.#requests += requests
    this.#servedMs = nowMs
  }

  /** To be asked before waiting: how long at most, in milliseconds; `timeoutMs` is what others want, -1 for ever. */
  limit(timeoutMs: number, nowMs: number): number {
    if (this.#requests < MANY) return timeoutMs
    const leftMs = Math.ceil(this.#servedMs + QUIET_MS - nowMs)
    if (leftMs > 0) return timeoutMs < 0 ? leftMs : Math.min(timeoutMs, leftMs)
    this.#requests = 0
    this.#collect()
    return timeoutMs
  }
}
