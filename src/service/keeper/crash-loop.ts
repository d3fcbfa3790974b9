/**
 * Notices a crash loop: servers that end or hang, one after the other, before they have answered anything. Such servers
 * must not be started for ever while their readers wait.
 */

/**
 * How a server failed. One that was `killed`, or stopped, by a person or the kernel tells little about the next one: it
 * counts a tenth.
 */
export type Failing = 'ended' | 'hung' | 'killed'

const WEIGHTS: Readonly<Record<Failing, number>> = { ended: 1, hung: 1, killed: 0.1 }

/** So many failures are a crash loop. */
const MOST_FAILURES = 5

/**
 * A failure counts for so long. That a server hangs is known only after 15 s, which it has for its first answer, and the
 * next ones get up to four times as long: from the first to the fifth it takes 210 s.
 */
const COUNTS_MS: Readonly<Record<Failing, number>> = {
  ended: 10_000,
  hung: 240_000,
  killed: 10_000,
}

/**
 * Servers that are short of CPU time get longer: so a hang counts for so many times as long as a request had waited until
 * it was known.
 */
const COUNTS_TIMES = 15

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 320

interface Failure {
  /** It counts until then. */
  untilMs: number
  how: Failing
}

export class CrashLoop {
  #failures: Failure[] = []

  /** Forgets all failures. To be called when a server has answered. */
  clear(): void {
    this.#failures = []
  }

  /**
   * Adds the failure of a server that ended at `nowMs`, on a clock that never goes back. For one that hung a request had
   * waited for `waitedMs`.
   */
  add(nowMs: number, how: Failing, waitedMs = 0): void {
    this.#failures = this.#failures.filter(each => nowMs < each.untilMs)
    const countsMs = Math.max(COUNTS_MS[how], how === 'hung' ? COUNTS_TIMES * waitedMs : 0)
    this.#failures.push({ untilMs: nowMs + countsMs, how })
  }

  /** Whether no other server should be started. */
  get isHopeless(): boolean {
    // The sum of many tenths is exact in whole tenths only.
    const tenths = this.#failures.reduce((sum, { how }) => sum + Math.round(WEIGHTS[how] * 10), 0)
    return tenths >= MOST_FAILURES * 10
  }

  /** How long to wait before the next server is started: not at all after the first failure. */
  get pauseMs(): number {
    const earlier = this.#failures.length - 1
    return earlier < 1 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (earlier - 1), LONGEST_PAUSE_MS)
  }
}
