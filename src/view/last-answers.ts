/** The last answers to what a view has asked of a container, which stay its answers when it has ended. */

/** Keeps an answer for the servers that come after this one. */
export interface Lasting<T> {
  keep(answer: T): void
  /** `undefined` where no server has kept one, or it was damaged. */
  recall(): T | undefined
}

export interface Care<T> {
  /** Makes a copy of an answer that does not stay what it is. */
  copy?: (answer: T) => T
  lasting?: Lasting<T> | undefined
}

export class LastAnswers {
  readonly #answers: Record<string, unknown> = {}
  hasEnded: boolean

  constructor(hasEnded: boolean) {
    this.hasEnded = hasEnded
  }

  /** Reads while the container is there, which `read` may find it is not; afterwards, only what was never answered. */
  ask<T>(question: string, read: () => T, { copy, lasting }: Care<T> = {}): T {
    if (this.#hasLast(question, lasting)) return this.#answers[question] as T
    const answer = read()
    if (this.#hasLast(question, lasting)) return this.#answers[question] as T
    const last = copy === undefined ? answer : copy(answer)
    this.#answers[question] = last
    // What a cgroup that is gone says is not the container's.
    if (!this.hasEnded) lasting?.keep(last)
    return last
  }

  /** Whether the container has ended, and was asked the question before: by this server, or by one before it. */
  #hasLast<T>(question: string, lasting: Lasting<T> | undefined): boolean {
    if (!this.hasEnded) return false
    if (question in this.#answers) return true
    const kept = lasting?.recall()
    if (kept !== undefined) this.#answers[question] = kept
    return kept !== undefined
  }
}
