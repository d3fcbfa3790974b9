/**
 * Views of callers that no registration covers. A caller may make namespaces and cgroups without end, and each of them
 * has a view. Beyond a bound it is the owner of most views who loses the oldest one, so that nobody costs another one
 * what a view has accumulated.
 */

/** At most this many views are kept. */
const MOST_CALLER_VIEWS = 64

export class CallerViews<View> {
  /** The oldest first. */
  readonly #views = new Map<string, { owner: string; view: View }>()

  get(key: string): View | undefined {
    return this.#views.get(key)?.view
  }

  /** Adds a view. Returns the one that had to go for it. */
  add(key: string, owner: string, view: View): View | undefined {
    this.#views.set(key, { owner, view })
    if (this.#views.size <= MOST_CALLER_VIEWS) return undefined
    const counts = new Map<string, number>()
    for (const each of this.#views.values()) {
      counts.set(each.owner, (counts.get(each.owner) ?? 0) + 1)
    }
    const most = Math.max(...counts.values())
    for (const [oldest, known] of this.#views) {
      if (oldest === key || counts.get(known.owner) !== most) continue
      this.#views.delete(oldest)
      return known.view
    }
    return undefined
  }
}
