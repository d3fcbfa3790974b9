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

/** Lists by number. One that has become empty stays for a while: it is likely to be wanted again. */
export class Lists<List extends { readonly count: number }> {
  readonly #lists = new Map<number, List>()
  readonly #make: () => List
  #most = SPARE_LISTS

  constructor(make: () => List) {
    this.#make = make
  }

  /** The list with this number, which may be one that nobody has put anything into. */
  of(number: number): List {
    const known = this.#lists.get(number)
    if (known !== undefined) return known
    if (this.#lists.size >= this.#most) this.#tidy()
    const made = this.#make()
    this.#lists.set(number, made)
    return made
  }

  has(number: number): boolean {
    return (this.#lists.get(number)?.count ?? 0) > 0
  }

  all(): Iterable<List> {
    return this.#lists.values()
  }

  #tidy(): void {
    for (const [number, list] of this.#lists) if (list.count === 0) this.#lists.delete(number)
    this.#most = 2 * this.#lists.size + SPARE_LISTS
  }
}

/** Empty lists are dropped when there are twice as many lists as were left the last time, and some. */
const SPARE_LISTS = 64
