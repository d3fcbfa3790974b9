/**
 * Decides how long to look for the next request before going to sleep. A process that reads a file opens it, reads, and
 * reads its end: each request follows the reply before within microseconds, and to be woken up for it takes longer than
 * that. What followed a reply of the same kind last time is expected to follow it this time.
 */

/** A reader that slept on another CPU has been woken up and asks again within this time. */
const LOOKING_MS = 0.1

/** A request followed a reply soon if it came within LOOKING_MS and the time that our own waking up takes. */
const SOON_MS = 0.25

/** Kinds of replies are numbers below this one. */
const KINDS = 256

export class BusyPoll {
  /** By kind: 1 when a request followed soon. */
  readonly #isFollowed = new Uint8Array(KINDS)
  #kind = 0
  #repliedMs = 0

  /** A request was answered at `nowMs`. */
  replied(kind: number, nowMs: number): void {
    this.#kind = kind % KINDS
    this.#repliedMs = nowMs
  }

  /** Whether to look again at once, now that there is no request. */
  looksAgain(nowMs: number): boolean {
    return this.#isFollowed[this.#kind] === 1 && nowMs - this.#repliedMs < LOOKING_MS
  }

  /** A request has come, at `nowMs` at the latest. */
  arrived(nowMs: number): void {
    this.#isFollowed[this.#kind] = nowMs - this.#repliedMs < SOON_MS ? 1 : 0
  }
}
