/**
 * Texts of open files, within bounded memory. A container may open files without end. Beyond the bound, the container
 * that has most of the memory loses texts first, so that no container costs another one its own.
 */

/** The texts of all containers together have at most this size. */
const MOST_BYTES = 32 * 2 ** 20

/** More readers are hardly in the middle of a text at a time in one container, and each text takes memory besides. */
const MOST_TEXTS_EACH = 512

interface Share {
  bytes: number
  /** The oldest first. */
  handles: Set<number>
}

export class TextCache {
  readonly #texts = new Map<number, { slot: number; text: Buffer }>()
  readonly #shares = new Map<number, Share>()
  readonly #evicted: (fh: number) => void
  #bytes = 0

  /** `evicted` is called for each text that had to go. */
  constructor(evicted: (fh: number) => void) {
    this.#evicted = evicted
  }

  get(fh: number): Buffer | undefined {
    return this.#texts.get(fh)?.text
  }

  set(fh: number, slot: number, text: Buffer): void {
    this.delete(fh)
    const share = this.#shares.get(slot) ?? { bytes: 0, handles: new Set() }
    this.#shares.set(slot, share)
    this.#texts.set(fh, { slot, text })
    share.handles.add(fh)
    share.bytes += text.length
    this.#bytes += text.length
    if (share.handles.size > MOST_TEXTS_EACH) this.#evictOldest(share, fh)
    while (this.#bytes > MOST_BYTES && this.#evictOther(fh));
  }

  delete(fh: number): void {
    const known = this.#texts.get(fh)
    if (known === undefined) return
    this.#texts.delete(fh)
    this.#bytes -= known.text.length
    const share = this.#shares.get(known.slot)
    if (share === undefined) return
    share.bytes -= known.text.length
    share.handles.delete(fh)
    if (share.handles.size === 0) this.#shares.delete(known.slot)
  }

  /** Evicts one text of the largest share as `#evictOldest` does. */
  #evictOther(kept: number): boolean {
    let largest: Share | undefined
    for (const share of this.#shares.values()) {
      if (largest === undefined || share.bytes > largest.bytes) largest = share
    }
    return largest !== undefined && this.#evictOldest(largest, kept)
  }

  /** Evicts one text, but not that of the handle `kept`. Returns false when no other text could go. */
  #evictOldest({ handles }: Share, kept: number): boolean {
    for (const fh of handles) {
      if (fh === kept) continue
      this.delete(fh)
      this.#evicted(fh)
      return true
    }
    return false
  }
}
