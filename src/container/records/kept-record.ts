/** One record of a container, which moves to a larger place when its numbers become more. */

import { type Kept, OwnNumbers } from '../../proc/kept.ts'
import { countAt, hasRoom, isOwner, load, type Owner, type Place, store } from './segment.ts'

interface Pool {
  /** Gives the owner a record with these numbers; `undefined` when there is no room. */
  take(owner: Owner, numbers: Float64Array, count: number): Place | undefined
  release(place: Place): void
}

/** Where there was no room it is looked for again with each so manyth store. */
const STORES_PER_LOOK = 100

export class KeptRecord implements Kept {
  readonly #pool: Pool
  readonly #owner: Owner
  #place: Place | undefined
  /** The numbers when there was no room for another place. The next server goes on from what is in the place. */
  #own: OwnNumbers | undefined
  /** Stores since there was no room. */
  #stores = 0

  constructor(pool: Pool, owner: Owner, place: Place | undefined) {
    this.#pool = pool
    this.#owner = owner
    this.#place = place
  }

  get count(): number {
    if (this.#own !== undefined) return this.#own.count
    const place = this.#held()
    return place === undefined ? 0 : countAt(place)
  }

  load(to: Float64Array): void {
    if (this.#own !== undefined) {
      this.#own.load(to)
      return
    }
    const place = this.#held()
    if (place !== undefined) load(place, to)
  }

  store(numbers: Float64Array, count: number): void {
    if (this.#own !== undefined && ++this.#stores % STORES_PER_LOOK !== 0) {
      this.#own.store(numbers, count)
      return
    }
    const place = this.#held()
    if (place !== undefined && hasRoom(place, count)) {
      store(place, numbers, count)
      this.#own = undefined
      return
    }
    const next = this.#pool.take(this.#owner, numbers, count)
    if (next === undefined) {
      this.#own ??= new OwnNumbers()
      this.#own.store(numbers, count)
      return
    }
    this.#own = undefined
    this.#place = next
    if (place !== undefined) this.#pool.release(place)
  }

  /** The place, as long as it was not freed and given to another. */
  #held(): Place | undefined {
    return this.#place !== undefined && isOwner(this.#place, this.#owner) ? this.#place : undefined
  }
}
