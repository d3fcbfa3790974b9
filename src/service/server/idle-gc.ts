/**
 * Has garbage collected when there were many requests and then none for a while. By itself the collector runs only when
 * more memory is wanted.
 */

/** The server is idle after so long without a request. */
const IDLE_MS = 1000

/** So many requests leave enough garbage to be worth a collection. */
const MANY_REQUESTS = 5000

/** At this pace or a slower one there is nothing to collect: the run time keeps up by itself. */
const PACE_PER_MS = 1

export class IdleGc {
  readonly #collect: () => void
  #requests = 0
  #servedMs = 0

  constructor(collect: () => void) {
    this.#collect = collect
  }

  /** To be called when so many requests were answered at `nowMs`. */
  served(requests: number, nowMs: number): void {
    const settled = (nowMs - this.#servedMs) * PACE_PER_MS
    this.#requests = Math.max(this.#requests - settled, 0) + requests
    this.#servedMs = nowMs
  }

  /**
   * Collects garbage when it is time to. Returns the longest time to wait before the next call, in milliseconds.
   * `timeoutMs` is the limit that others want; -1 stands for no limit.
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
