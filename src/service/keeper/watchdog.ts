/**
 * Notices a server that does not get on, which may be stopped or in an endless loop, and a mount that was taken away.
 * While there are no requests the watchdog sleeps, and the next request wakes it up.
 */

import { type Look, Silence } from './silence.ts'

const PERIOD_MS = 400

/** The watchdog looks so many times in a row without finding an unanswered request, and then sleeps. */
const MOST_QUIET_LOOKS = 5

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
  look(): Look
  /** For how long it may be silent. */
  patienceMs(): number
  /** Called when the server is silent for longer than that while a request waits, and again when it goes on waiting. */
  hung(): void
  /** Called at each look while the mount is not whole. */
  lost(): void
}

export class Watchdog {
  readonly #watched: Watched
  readonly #server: WatchedServer
  readonly #silence = new Silence()
  /** Whether our own request waits for its answer. */
  #isAsked = false
  #quietLooks = 0
  #timer: NodeJS.Timeout | undefined

  constructor(watched: Watched, server: WatchedServer) {
    this.#watched = watched
    this.#server = server
  }

  /** To be called once, and when a request has arrived. */
  start(): void {
    this.#quietLooks = 0
    this.#timer ??= setInterval(() => this.#look(), PERIOD_MS)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#watched.close()
  }

  #look(): void {
    if (!this.#watched.isWhole) {
      this.#quietLooks = 0
      this.#server.lost()
    } else if (this.#isAsked) {
      this.#judge()
    } else if (this.#watched.countWaiting() === 0) {
      if (++this.#quietLooks > MOST_QUIET_LOOKS) this.#sleep()
    } else {
      this.#quietLooks = 0
      this.#ask()
    }
  }

  #judge(): void {
    // Our own request may not be sent yet, or its answer not seen, where this process is short of CPU time.
    const isIdle = this.#watched.countWaiting() === 0
    const silentMs = isIdle ? 0 : this.#silence.add(performance.now(), this.#server.look())
    const isHung = silentMs >= this.#server.patienceMs()
    if (isIdle || isHung) this.#beginSilence()
    if (isHung) this.#server.hung()
  }

  #beginSilence(): void {
    this.#silence.begin(performance.now(), this.#server.look())
  }

  /** An answer with an error counts as an answer. */
  #ask(): void {
    this.#beginSilence()
    this.#isAsked = true
    const answered = () => {
      this.#isAsked = false
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
