/**
 * Which file of which container a server was rendering, or whose view it was looking for, when it hung or crashed. The
 * kernel sends the request again, and the next server would fail at it, too: so it answers with the host's text for a
 * while.
 *
 * What is rendered is written down in memory that is mapped from a file: a store costs no system call, and outlives the
 * server.
 */

import type { Clock } from '../host/host.ts'
import { placeOf, SLOT_SIZE } from './tree.ts'

/** What was blamed is not rendered for this long. */
const QUARANTINE_USEC = 300e6

/** At most so many are blamed at a time; then the one that was blamed first is rendered again. */
const MOST = 64

/** The cells of the memory: what is rendered and since when, then what is blamed, each until when. */
const RENDERED = 0
const SINCE = 1
const BLAMED = 2
export const QUARANTINE_CELLS = BLAMED + 2 * MOST

/** The number of a file of a view, or of all that is in a directory of sysfs, above 0. `view` is the number of the view. */
export const fileKey = (view: number, file: Parameters<typeof placeOf>[0]): number =>
  view * SLOT_SIZE + placeOf(file)

/** The number of looking for a view, before any of its files is rendered: no file has the place 0. */
export const lookupKey = (view: number): number => view * SLOT_SIZE

export class Quarantine {
  readonly #cells: Float64Array
  readonly #clock: Pick<Clock, 'monotonicUsec'>
  /** Until when each is blamed, the first one first. */
  readonly #blamed = new Map<number, number>()

  /** `cells` are those that the server before has left, or zeros. Times are microseconds of CLOCK_MONOTONIC. */
  constructor(cells: Float64Array, clock: Pick<Clock, 'monotonicUsec'>) {
    this.#cells = cells
    this.#clock = clock
    const latestUsec = clock.monotonicUsec() + QUARANTINE_USEC
    for (let at = BLAMED; at < QUARANTINE_CELLS; at += 2) {
      const [key = 0, untilUsec = 0] = cells.subarray(at)
      // A later time is of another boot, after which the clock began anew, or damaged.
      if (key > 0 && untilUsec <= latestUsec) this.#blamed.set(key, untilUsec)
    }
  }

  /**
   * To be called once, when the server before has ended. What it had begun to render before `begunUsec`, and never
   * finished, is blamed. Returns the key of that; `undefined` when there is none.
   */
  blame(begunUsec: number | undefined): number | undefined {
    const [key = 0, sinceUsec = 0] = this.#cells
    this.end()
    if (begunUsec === undefined || !(key > 0) || sinceUsec > begunUsec) return undefined
    this.#blamed.delete(key)
    this.#blamed.set(key, this.#clock.monotonicUsec() + QUARANTINE_USEC)
    this.#save()
    return key
  }

  /** Whether nothing is blamed. */
  get isEmpty(): boolean {
    return this.#blamed.size === 0
  }

  has(key: number): boolean {
    if (this.#blamed.size === 0) return false
    const untilUsec = this.#blamed.get(key)
    if (untilUsec === undefined) return false
    if (this.#clock.monotonicUsec() < untilUsec) return true
    this.#blamed.delete(key)
    this.#save()
    return false
  }

  /** To be called before each rendering and lookup. Returns false for what is not to be done. */
  begin(key: number): boolean {
    if (this.has(key)) return false
    this.#cells[SINCE] = this.#clock.monotonicUsec()
    this.#cells[RENDERED] = key
    return true
  }

  /** To be called when that has ended, however it did. */
  end(): void {
    this.#cells[RENDERED] = 0
  }

  #save(): void {
    const [first] = this.#blamed.keys()
    if (this.#blamed.size > MOST && first !== undefined) this.#blamed.delete(first)
    this.#cells.fill(0, BLAMED)
    let at = BLAMED
    for (const [key, untilUsec] of this.#blamed) {
      this.#cells[at++] = key
      this.#cells[at++] = untilUsec
    }
  }
}
