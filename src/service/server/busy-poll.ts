/**
 * Decides how long to look for the next request before going to sleep. A process that reads a file opens it, reads,
 * and reads its end: each request follows the reply before within microseconds, and waking up for it takes longer than
 * that. A request that followed a reply soon last time is expected to follow a reply of the same kind soon this time.
 */

/**
 * The server looks for the next request for this long: a reader that slept on another CPU has been woken up and asks
 * again within this time.
 */
const LOOKING_MS = 0.1

/**
 * A request follows a reply soon when it comes within this time: LOOKING_MS, and what it takes the server to wake up.
 */
const SOON_MS = 0.25

/** Kinds of replies are numbers below this one. */
const KINDS = 256

export class BusyPoll {
  /** For each kind of reply, 1 when a request followed the last one soon. */
  readonly #isFollowed = new Uint8Array(KINDS)
  #kind = 0
  #repliedMs = 0

  /** To be called when a request was answered at `nowMs`. `kind` is the kind of the reply. */
  replied(kind: number, nowMs: number): void {
    this.#kind = kind % KINDS
    this.#repliedMs = nowMs
  }

  /** Whether to look again at once, now that there is no request. */
  looksAgain(nowMs: number): boolean {
    return this.#isFollowed[this.#kind] === 1 && nowMs - this.#repliedMs < LOOKING_MS
  }

  /** To be called when a request has come, at `nowMs` at the latest. */
  arrived(nowMs: number): void {
    this.#isFollowed[this.#kind] = nowMs - this.#repliedMs < SOON_MS ? 1 : 0
  }
}
