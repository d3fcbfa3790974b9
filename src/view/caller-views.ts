/**
 * Views of callers that no registration covers. A caller may make namespaces and cgroups without end, and each of them
 * has a view. Beyond a bound it is the owner of most views who loses the oldest one, so that nobody costs another one
 * what a view has accumulated. Owners are told first by what holds many of them, then one by one.
 */

/** At most this many views are kept. */
const MOST_CALLER_VIEWS = 64

interface Owned<View> {
  key: string
  /** The wider owner first. */
  owners: readonly string[]
  view: View
}

export class CallerViews<View> {
  /** The oldest first. */
  readonly #views = new Map<string, Owned<View>>()

  get(key: string): View | undefined {
    return this.#views.get(key)?.view
  }

  /** Adds a view. Returns the one that had to go for it, which is never the new one. */
  add(key: string, owners: readonly string[], view: View): View | undefined {
    this.#views.set(key, { key, owners, view })
    if (this.#views.size <= MOST_CALLER_VIEWS) return undefined
    const ofClass = ofLargest([...this.#views.values()], ({ owners: [wide = ''] }) => wide)
    const [oldest] = ofLargest(ofClass, ({ owners: [, own = ''] }) => own)
    if (oldest === undefined) return undefined
    this.#views.delete(oldest.key)
    return oldest.view
  }
}

/** Those that share the name which most have; where several names are shared by as many, that of the oldest one. */
function ofLargest<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groups.get(nameOf(item))
    if (group === undefined) groups.set(nameOf(item), [item])
    else group.push(item)
  }
  let largest: Item[] = []
  for (const group of groups.values()) if (group.length > largest.length) largest = group
  return largest
}
