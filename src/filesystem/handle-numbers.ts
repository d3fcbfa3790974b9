/**
 * Numbers of handles. Readers may still hold handles of earlier servers, which must not be taken for ours, so no number
 * is ever given twice: the run directory holds the number up to which numbers may have been given.
 */

import { readFileSync } from 'node:fs'
import { replaceFile } from '../host/replace-file.ts'

/** So many numbers are reserved at a time: writing the file takes 0.1 ms. */
const BLOCK = 2 ** 20

/** A version that kept no such file began with the time of day times this. */
const PER_MILLISECOND = 2048

/**
 * A higher number is of a damaged file, and not believed: at 2^53 numbers would stand still. The time of day gets there in
 * the year 2105, and the numbers above last for 2^48 handles.
 */
export const MOST_HANDLE = 2 ** 53 - 2 ** 48

export class HandleNumbers {
  /** Numbers below this one are those of earlier servers. */
  readonly first: number
  readonly #file: string
  #next: number
  #reserved: number

  /**
   * `nowMs` is the time of day. It may have gone back, so it counts only where it is ahead of all that is known:
   * `highest` is the highest handle of an earlier server that was met elsewhere.
   */
  constructor(runDirectory: string, nowMs: number, highest: number) {
    this.#file = `${runDirectory}/handles`
    const least = [nowMs * PER_MILLISECOND, this.#read(), highest + 1]
    this.first = Math.max(0, ...least.filter(number => number <= MOST_HANDLE))
    this.#next = this.first
    this.#reserved = this.first
  }

  take(): number {
    if (this.#next === this.#reserved) this.#reserve()
    return this.#next++
  }

  /** Where the file cannot be written, the time of day is all that the next server has. */
  #reserve(): void {
    this.#reserved += BLOCK
    try {
      replaceFile(this.#file, `${this.#reserved}\n`)
    } catch {}
  }

  #read(): number {
    try {
      const number = Number(readFileSync(this.#file, 'utf8'))
      return Number.isSafeInteger(number) ? number : 0
    } catch {
      return 0
    }
  }
}
