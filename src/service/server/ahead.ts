/** Work for the request that is expected next, to be done while whoever will send it wakes up. */

export class Ahead {
  #work: (() => void) | undefined

  want(work: () => void): void {
    this.#work = work
  }

  /** What the last request wanted: the next one may come instead, and then it is of no use. */
  take(): (() => void) | undefined {
    const work = this.#work
    this.#work = undefined
    return work
  }
}
