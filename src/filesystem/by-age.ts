/**
 * Things in the order in which they were added, any of which may be taken out: a list through the things themselves, so
 * that neither allocates anything.
 */

/** A thing is in one list at a time. Its links are those of the list. */
export interface Linked<Item> {
  older: Item | undefined
  newer: Item | undefined
}

export class ByAge<Item extends Linked<Item>> {
  #count = 0
  #oldest: Item | undefined
  #newest: Item | undefined

  get count(): number {
    return this.#count
  }

  get oldest(): Item | undefined {
    return this.#oldest
  }

  add(item: Item): void {
    this.#count++
    item.older = this.#newest
    if (this.#newest === undefined) this.#oldest = item
    else this.#newest.newer = item
    this.#newest = item
  }

  /** `item` must be in this list. */
  remove(item: Item): void {
    const { older, newer } = item
    this.#count--
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    item.older = undefined
    item.newer = undefined
  }
}
