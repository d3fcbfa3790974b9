/**
 * How long to look for the next request before going to sleep. Whoever reads a file opens it, reads, and reads its end:
 * each request follows the reply before within microseconds, and being woken up for it takes longer than that. What
 * followed a reply of the same kind last time is taken for what follows it this time.
 */

/** A reader that slept on another CPU has been woken up and asks again within this time. */
const LOOKING_MS = 0.1

/** As that, and our own waking up. */
const SOON_MS = 0.25

/** Kinds of replies are numbers below that. */
const KINDS = 256

export class Pace {
  /** By kind: 1 when a request followed soon. */
  readonly #isFollowed = new Uint8Array(KINDS)
  #kind = 0
  #repliedMs = 0

  /** A request was answered at `nowMs`. */
  replied(kind: number, nowMs: number): void {
    this.#kind = kind % KINDS
    this.#repliedMs = nowMs
  }

  /** There is no request yet: whether to look again at once. */
  isSoon(nowMs: number): boolean {
    return this.#isFollowed[this.#kind] === 1 && nowMs - this.#repliedMs < LOOKING_MS
  }

  /** A request has come, at `nowMs` at the latest. */
  arrived(nowMs: number): void {
    this.#isFollowed[this.#kind] = nowMs - this.#repliedMs < SOON_MS ? 1 : 0
  }
}
