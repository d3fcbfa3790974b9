/**
 * Texts of open files, within bounded memory. A container may open files without end. Beyond the bound, the container
 * that has most of the memory loses texts first, so that no container costs another one its own.
 */

import { ByAge, type Linked, Lists } from './by-age.ts'

/** The texts of all containers together have at most this size. */
const MOST_BYTES = 32 * 2 ** 20

/** More readers are hardly in the middle of a text at a time in one container, and each text takes memory besides. */
const MOST_TEXTS_EACH = 512

class Text implements Linked<Text> {
  readonly fh: number
  readonly slot: number
  readonly bytes: Buffer
  older: Text | undefined
  newer: Text | undefined

  constructor(fh: number, slot: number, bytes: Buffer) {
    this.fh = fh
    this.slot = slot
    this.bytes = bytes
  }
}

/** The texts of one container. */
class Share {
  bytes = 0
  readonly texts = new ByAge<Text>()

  get count(): number {
    return this.texts.count
  }
}

export class TextCache {
  readonly #texts = new Map<number, Text>()
  /** By slot. */
  readonly #shares = new Lists(() => new Share())
  readonly #evicted: (fh: number) => void
  #bytes = 0

  /** `evicted` is called for each text that had to go. */
  constructor(evicted: (fh: number) => void) {
    this.#evicted = evicted
  }

  get(fh: number): Buffer | undefined {
    return this.#texts.get(fh)?.bytes
  }

  set(fh: number, slot: number, bytes: Buffer): void {
    this.delete(fh)
    const text = new Text(fh, slot, bytes)
    this.#texts.set(fh, text)
    const share = this.#shares.of(slot)
    share.texts.add(text)
    share.bytes += bytes.length
    this.#bytes += bytes.length
    if (share.texts.count > MOST_TEXTS_EACH) this.#evictOldest(share, fh)
    while (this.#bytes > MOST_BYTES && this.#evictOther(fh));
  }

  delete(fh: number): void {
    const text = this.#texts.get(fh)
    if (text === undefined) return
    this.#texts.delete(fh)
    this.#bytes -= text.bytes.length
    const share = this.#shares.of(text.slot)
    share.bytes -= text.bytes.length
    share.texts.remove(text)
  }

  /** Evicts one text of the largest share as `#evictOldest` does. */
  #evictOther(kept: number): boolean {
    let largest: Share | undefined
    for (const share of this.#shares.all()) {
      if (largest === undefined || share.bytes > largest.bytes) largest = share
    }
    return largest !== undefined && this.#evictOldest(largest, kept)
  }

  /** Evicts one text, but not that of the handle `kept`. Returns false when no other text could go. */
  #evictOldest({ texts }: Share, kept: number): boolean {
    const { oldest } = texts
    const text = oldest?.fh === kept ? oldest.newer : oldest
    if (text === undefined) return false
    this.delete(text.fh)
    this.#evicted(text.fh)
    return true
  }
}
