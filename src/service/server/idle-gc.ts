/**
 * Has garbage collected when there were many requests and then none for a while. By itself the collector runs only when
 * more memory is wanted.
 */

/** The server is idle after so long without a request. */
const IDLE_MS = 1000

/** Fewer requests leave too little garbage to be worth it. */
const MANY_REQUESTS = 5000

export class IdleGc {
  readonly #collect: () => void
  #requests = 0
  #servedMs = 0

  constructor(collect: () => void) {
    this.#collect = collect
  }

  /** Some requests were answered at `nowMs`. */
  served(requests: number, nowMs: number): void {
    this.#requests += requests
    this.#servedMs = nowMs
  }

  /**
   * Collects if it is time to. Returns how many milliseconds to wait at most until this is to be asked again;
   * `timeoutMs` is the limit that others want, -1 for none.
   */
  limit(timeoutMs: number, nowMs: number): number {
    if (this.#requests < MANY_REQUESTS) return timeoutMs
    const leftMs = Math.ceil(this.#servedMs + IDLE_MS - nowMs)
    if (leftMs > 0) return timeoutMs < 0 ? leftMs : Math.min(timeoutMs, leftMs)
    this.#requests = 0
    this.#collect()
    return timeoutMs
  }
}
