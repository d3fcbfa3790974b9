/**
 * Notices a crash loop: servers that end, one after the other, before they have answered anything. Such servers must
 * not be started for ever while their readers wait.
 */

/** So many failures within WITHIN_MS are a crash loop. */
const MOST_FAILURES = 5
const WITHIN_MS = 10_000

/**
 * The weight of a server that a person or the kernel has killed, where any other failure weighs 1. A killed server
 * tells little about the next one.
 */
const WEIGHT_OF_KILLED = 0.1

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 320

interface Failure {
  timeMs: number
  weight: number
}

export class CrashLoop {
  #failures: Failure[] = []

  /** Forgets all failures. To be called when a server has answered. */
  clear(): void {
    this.#failures = []
  }

  /**
   * Adds the failure of a server that ended at `nowMs`, on a clock that never goes back. `isKilled` says whether
   * SIGKILL ended the server.
   */
  add(nowMs: number, isKilled: boolean): void {
    this.#failures = this.#failures.filter(({ timeMs }) => nowMs - timeMs < WITHIN_MS)
    this.#failures.push({ timeMs: nowMs, weight: isKilled ? WEIGHT_OF_KILLED : 1 })
  }

  /** Whether no other server should be started. */
  get isHopeless(): boolean {
    // The sum of many tenths is exact in whole tenths only.
    const tenths = this.#failures.reduce((sum, { weight }) => sum + Math.round(weight * 10), 0)
    return tenths >= MOST_FAILURES * 10
  }

  /** How long to wait before the next server is started: not at all after the first failure. */
  get pauseMs(): number {
    const earlier = this.#failures.length - 1
    return earlier < 1 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (earlier - 1), LONGEST_PAUSE_MS)
  }
}
