/**
 * Notices a server that does not get on, which may be stopped or in an endless loop, and a mount that was taken away.
 * While there are no requests the watchdog sleeps, and the next request wakes it up.
 */

import { type Look, Silence } from './silence.ts'

const PERIOD_MS = 400

/** The watchdog looks so many times in a row without finding a request, and then sleeps. */
const MOST_QUIET_LOOKS = 5

/** While requests are answered the mount is looked at with every so manyth look: that costs more than all the rest. */
const LOOKS_PER_MOUNT_LOOK = 5

/** What the watchdog sees of a connection to the kernel. */
export interface Watched {
  /** Whether the mount is in its place, and its connection is there. */
  readonly isWhole: boolean
  /** Returns the number of unanswered requests; `undefined` where the kernel does not tell. */
  countWaiting(): number | undefined
  /** Sends a request of our own. Resolves or rejects when it was answered. */
  ask(): Promise<unknown>
  /** Has `Watchdog.start` called once when the next request arrives. A request that is there already does not count. */
  arm(): void
  disarm(): void
  close(): void
}

/** The server behind the connection, which another one may take the place of. */
export interface WatchedServer {
  /** How many requests servers have answered. A server of a version that does not count leaves this as it is. */
  readonly answered: number
  look(): Look
  /** For how long it may be silent. */
  patienceMs(): number
  /**
   * Called when the server is silent for longer than that while a request waits, and again when it goes on waiting. The
   * request has waited for `waitedMs`.
   */
  hung(waitedMs: number): void
  /** Called at each look while the mount is not whole. */
  lost(): void
}

export class Watchdog {
  readonly #watched: Watched
  readonly #server: WatchedServer
  readonly #silence = new Silence()
  /** Whether our own request waits for its answer. */
  #isAsked = false
  /** What the server had answered at the last look. */
  #answered: number
  #quietLooks = 0
  /** So many looks may do without one at the mount. */
  #looksToMount = 0
  #timer: NodeJS.Timeout | undefined

  constructor(watched: Watched, server: WatchedServer) {
    this.#watched = watched
    this.#server = server
    this.#answered = server.answered
  }

  /**
   * Sends a request of our own first, and does not sleep before the answer: from a mount that refuses everything no request
   * ever arrives.
   */
  begin(): void {
    this.start()
    if (!this.#isAsked) this.#ask()
  }

  /** To be called when a request has arrived. */
  start(): void {
    this.#quietLooks = 0
    this.#looksToMount = 0
    this.#timer ??= setInterval(() => this.#look(), PERIOD_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#watched.close()
  }

  #look(): void {
    const { answered } = this.#server
    const getsOn = answered !== this.#answered
    this.#answered = answered
    if (!this.#isWhole(getsOn)) {
      this.#quietLooks = 0
      this.#server.lost()
    } else if (this.#watched.countWaiting() === 0) {
      this.#silence.end()
      if (getsOn) this.#quietLooks = 0
      // An answer to our own request that has not been seen yet keeps this process awake anyway.
      else if (!this.#isAsked && ++this.#quietLooks > MOST_QUIET_LOOKS) this.#sleep()
    } else {
      this.#quietLooks = 0
      this.#judge(getsOn)
    }
  }

  #isWhole(getsOn: boolean): boolean {
    if (getsOn && this.#looksToMount-- > 0) return true
    const { isWhole } = this.#watched
    this.#looksToMount = isWhole ? LOOKS_PER_MOUNT_LOOK - 1 : 0
    return isWhole
  }

  /** To be called while a request waits. A server that answers others is asked nothing. */
  #judge(getsOn: boolean): void {
    const nowMs = performance.now()
    const look = this.#server.look()
    if (getsOn) {
      this.#silence.begin(nowMs, look)
      return
    }
    if (this.#silence.add(nowMs, look) >= this.#server.patienceMs()) {
      const waitedMs = this.#silence.lengthMs(nowMs)
      this.#silence.begin(nowMs, look)
      this.#server.hung(waitedMs)
    }
    if (!this.#isAsked) this.#ask()
  }

  /** A request may wait for something else than the server: an answer to ours ends the silence, also one with an error. */
  #ask(): void {
    this.#isAsked = true
    const answered = () => {
      this.#isAsked = false
      this.#silence.end()
    }
    this.#watched.ask().then(answered, answered)
  }

  #sleep(): void {
    this.#watched.arm()
    // A request that came before `arm` wakes nobody up, so it is looked for here.
    if (this.#watched.countWaiting() !== 0) {
      this.#watched.disarm()
      this.#quietLooks = 0
      return
    }
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
