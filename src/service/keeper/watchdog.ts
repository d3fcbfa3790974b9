/**
 * Notices a server that does not answer, which may be stopped or in an endless loop, and a mount that was taken away.
 * While there are no requests the watchdog sleeps, and the next request wakes it up.
 */

const PERIOD_MS = 400

/**
 * A server hangs when an answer takes longer than this. On a machine under load it takes much less. It is a little less
 * than three periods, so that a hung server is noticed after three to four, within 1.6 s.
 */
const HUNG_MS = 1150

/**
 * A server that has just been started gets as long as this to give its first answer: loading it takes 50 ms, and seconds
 * on a machine that boots, that is short of CPU, or that emulates another processor.
 */
const START_MS = 15_000

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
  /** When the server was started, of performance.now(); `undefined` once it has answered a request. */
  startedMs(): number | undefined
  /** Called when a request waits for longer than the server ever takes, and again when it goes on waiting. */
  hung(): void
  /** Called at each look while the mount is not whole. */
  lost(): void
}

export class Watchdog {
  readonly #watched: Watched
  readonly #server: WatchedServer
  /** When our own request was sent; `undefined` when it has been answered. */
  #askedMs: number | undefined
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
    } else if (this.#askedMs !== undefined) {
      const startedMs = this.#server.startedMs() ?? -Infinity
      if (performance.now() < Math.max(this.#askedMs + HUNG_MS, startedMs + START_MS)) return
      this.#askedMs = performance.now()
      this.#server.hung()
    } else if (this.#watched.countWaiting() === 0) {
      if (++this.#quietLooks > MOST_QUIET_LOOKS) this.#sleep()
    } else {
      this.#quietLooks = 0
      this.#ask()
    }
  }

  /** An answer with an error counts as an answer. */
  #ask(): void {
    this.#askedMs = performance.now()
    const answered = () => {
      this.#askedMs = undefined
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
