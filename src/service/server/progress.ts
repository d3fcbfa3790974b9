/** What the keeper sees of a server that gets on: each reply counts when the kernel has taken it, and not before. */

import type { Answered } from '../answered.ts'

export class Progress {
  readonly #answered: Pick<Answered, 'count'>
  readonly #first: () => void
  #hasReplied = false

  /** `first` is called with the first reply. */
  constructor(answered: Pick<Answered, 'count'>, first: () => void) {
    this.#answered = answered
    this.#first = first
  }

  replied(): void {
    this.#answered.count()
    if (this.#hasReplied) return
    this.#hasReplied = true
    this.#first()
  }
}
