/**
 * Decides how long to look for the next request before going to sleep. A process that reads files again and again
 * without a pause sends each request some microseconds after the reply before, and waking up for it takes longer than
 * that. All others are not waited for: between two reads a second looking costs CPU time, and nobody gets an answer
 * sooner.
 */

/**
 * The server looks for the next request for this long: a reader that slept on another CPU has been woken up and asks
 * again within this time.
 */
const LOOKING_MS = 0.1

/**
 * A request follows the reply before without a pause when it is answered within this time: the server and its reader
 * have been woken up, and the reply has been made.
 */
const SOON_MS = 0.5

/** A reader that is in a loop may be kept from running for as long by others. */
const INTERRUPTED_MS = 10

/** After so many requests without a pause a reader is in a loop: one that opens some twenty files at once is in none. */
const MANY = 100

/** No more than these are counted. */
const MOST = 200

/** An interruption counts against so many requests without one. */
const PER_INTERRUPTION = 50

/** So many readers are told apart. One takes the place of another whose pid differs by a multiple. */
const READERS = 64

export class BusyPoll {
  readonly #pids = new Int32Array(READERS)
  readonly #repliedMs = new Float64Array(READERS)
  /** Requests without a pause. */
  readonly #requests = new Uint8Array(READERS)
  /** When a reader that is in a loop was last replied to. */
  #loopedMs = Number.NEGATIVE_INFINITY

  /**
   * To be called when a request of the thread `pid` was answered at `nowMs`. The kernel names no thread, but 0, in what
   * it sends by itself, such as the release of a closed file.
   */
  answered(pid: number, nowMs: number): void {
    if (pid === 0) {
      if (this.looksAgain(nowMs)) this.#loopedMs = nowMs
      return
    }
    const at = pid % READERS
    this.#requests[at] = this.#pids[at] === pid ? this.#countAfter(at, nowMs) : 0
    this.#pids[at] = pid
    this.#repliedMs[at] = nowMs
    if (this.isInLoop(pid)) this.#loopedMs = nowMs
  }

  #countAfter(at: number, nowMs: number): number {
    const pauseMs = nowMs - (this.#repliedMs[at] ?? 0)
    const requests = this.#requests[at] ?? 0
    if (pauseMs < SOON_MS) return Math.min(requests + 1, MOST)
    return pauseMs < INTERRUPTED_MS ? Math.max(requests - PER_INTERRUPTION, 0) : 0
  }

  /** Whether this reader is in a loop as far as is known, so that it is worth being ready for its next request. */
  isInLoop(pid: number): boolean {
    const at = pid % READERS
    return this.#pids[at] === pid && (this.#requests[at] ?? 0) >= MANY
  }

  /** Whether to look again at once, now that there is no request. */
  looksAgain(nowMs: number): boolean {
    return nowMs - this.#loopedMs < LOOKING_MS
  }
}
