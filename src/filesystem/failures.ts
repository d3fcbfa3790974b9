/** Failures to show a container its own: each is reported once in a while, since readers come many times a second. */

import type { Clock } from '../host/host.ts'
import type { Log } from '../sys/log.ts'

/** The failures of one path are reported once in this time. */
const QUIET_USEC = 60e6

export class Failures {
  readonly #clock: Pick<Clock, 'monotonicUsec'>
  readonly #log: Pick<Log, 'error'>
  readonly #reportedUsec = new Map<string, number>()

  constructor(clock: Pick<Clock, 'monotonicUsec'>, log: Pick<Log, 'error'>) {
    this.#clock = clock
    this.#log = log
  }

  /** To be called when the host's is shown at `path`, one of few. */
  report(path: string, cause: unknown): void {
    const now = this.#clock.monotonicUsec()
    if (now - (this.#reportedUsec.get(path) ?? Number.NEGATIVE_INFINITY) < QUIET_USEC) return
    this.#reportedUsec.set(path, now)
    this.#log.error(
      new Error(`Cannot render ${path} for a container; it sees the host's`, { cause }),
    )
  }
}
