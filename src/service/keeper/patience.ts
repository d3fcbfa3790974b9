/** Remembers what workers have hung on, so that it takes a worker again only now and then. */

const FIRST_PAUSE_MS = 60_000
const MOST_PAUSE_MS = 3_600_000

/** So many are remembered; then the one that was met first is tried again. */
const MOST = 1024

export class Patience {
  readonly #clock: () => number
  readonly #pauses = new Map<string, { pauseMs: number; untilMs: number }>()

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
  }

  isExhausted(key: string): boolean {
    const { untilMs = 0 } = this.#pauses.get(key) ?? {}
    return this.#clock() < untilMs
  }

  hung(key: string): void {
    const { pauseMs = 0 } = this.#pauses.get(key) ?? {}
    const nextMs = Math.min(MOST_PAUSE_MS, pauseMs === 0 ? FIRST_PAUSE_MS : 2 * pauseMs)
    this.#pauses.delete(key)
    this.#pauses.set(key, { pauseMs: nextMs, untilMs: this.#clock() + nextMs })
    const [oldest] = this.#pauses.keys()
    if (this.#pauses.size > MOST && oldest !== undefined) this.#pauses.delete(oldest)
  }

  answered(key: string): void {
    this.#pauses.delete(key)
  }
}
