/** What a job gives that has more to do when it has answered: nobody is to wait for that. */

export class Answered<T = unknown> {
  readonly result: T
  /** Never throws. */
  readonly afterwards: () => void

  constructor(result: T, afterwards: () => void) {
    this.result = result
    this.afterwards = afterwards
  }
}
