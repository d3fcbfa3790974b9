/**
 * Texts that a reader has begun and not finished. Each handle has a file in the run directory: should the server end
 * meanwhile, the next one goes on with the same text. A text that was read in one piece needs no file.
 *
 * A container may begin texts without end. Beyond a bound its oldest one goes; beyond the bound of all, the oldest one
 * of the container that has most. Nobody notices unless the server ends before that text is read to its end: its reader
 * then finds it ended.
 */

import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { MOST_HANDLE } from './handle-numbers.ts'

/** What `Handles` needs of saved texts. */
export type Texts = Pick<SavedTexts, 'save' | 'load' | 'remove'>

/** The run directory is in memory, where a file takes whole pages. */
const PAGE_BYTES = 4096

/**
 * For one container: more readers than this are hardly in the middle of a text at a time, and one cpuinfo of 1000 CPUs
 * has 1.5 MB.
 */
const MOST_TEXTS_EACH = 256
const MOST_BYTES_EACH = 4 * 2 ** 20

/** For all containers: what the texts in the server's memory may have, too. */
const MOST_TEXTS = 4096
const MOST_BYTES = 32 * 2 ** 20

interface Share {
  bytes: number
  /** The size of each text by its handle, the oldest first. */
  texts: Map<number, number>
}

/** Whose the texts of an earlier server are cannot be told from their names. */
const EARLIER = -1

export class SavedTexts {
  readonly #directory: string
  readonly #shares = new Map<number, Share>()
  readonly #slotByHandle = new Map<number, number>()
  #bytes = 0

  constructor(runDirectory: string) {
    this.#directory = `${runDirectory}/texts`
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
      this.#countEarlier()
    } catch {
      // Without the directory no text is saved.
    }
  }

  /** The highest handle of which an earlier server has left a text; 0 when there is none. */
  get highest(): number {
    return Math.max(0, ...this.#slotByHandle.keys())
  }

  /**
   * Saves a text of the container `slot`. Where there is no room for it the reader goes on all the same: only a restart
   * of the server would show.
   */
  save(fh: number, slot: number, text: Uint8Array): void {
    const bytes = pagesOf(text.length)
    if (bytes > MOST_BYTES_EACH) {
      this.remove(fh)
      return
    }
    try {
      writeFileSync(this.#file(fh), text, { mode: 0o600 })
    } catch {
      this.remove(fh)
      return
    }
    this.#count(fh, slot, bytes)
    this.#makeRoom(slot)
  }

  /** Returns `undefined` when no text was saved. */
  load(fh: number): Buffer | undefined {
    try {
      return readFileSync(this.#file(fh))
    } catch {
      return undefined
    }
  }

  remove(fh: number): void {
    this.#uncount(fh)
    try {
      rmSync(this.#file(fh), { force: true })
    } catch {}
  }

  #countEarlier(): void {
    const handles = readdirSync(this.#directory)
      .map(Number)
      .filter(fh => Number.isSafeInteger(fh) && fh > 0 && fh <= MOST_HANDLE)
    for (const fh of handles.sort((a, b) => a - b)) {
      const stat = statSync(this.#file(fh), { throwIfNoEntry: false })
      if (stat !== undefined) this.#count(fh, EARLIER, pagesOf(stat.size))
    }
    // They may be those of many containers.
    while (this.#isFull) this.#removeOldest(EARLIER)
  }

  #count(fh: number, slot: number, bytes: number): void {
    this.#uncount(fh)
    const share = this.#shares.get(slot) ?? { bytes: 0, texts: new Map() }
    this.#shares.set(slot, share)
    this.#slotByHandle.set(fh, slot)
    share.texts.set(fh, bytes)
    share.bytes += bytes
    this.#bytes += bytes
  }

  #uncount(fh: number): void {
    const slot = this.#slotByHandle.get(fh)
    const share = slot === undefined ? undefined : this.#shares.get(slot)
    if (slot === undefined || share === undefined) return
    const bytes = share.texts.get(fh) ?? 0
    this.#slotByHandle.delete(fh)
    share.texts.delete(fh)
    share.bytes -= bytes
    this.#bytes -= bytes
    if (share.texts.size === 0) this.#shares.delete(slot)
  }

  get #isFull(): boolean {
    return this.#slotByHandle.size > MOST_TEXTS || this.#bytes > MOST_BYTES
  }

  #makeRoom(slot: number): void {
    const share = this.#shares.get(slot)
    while (
      share !== undefined &&
      (share.texts.size > MOST_TEXTS_EACH || share.bytes > MOST_BYTES_EACH)
    ) {
      this.#removeOldest(slot)
    }
    while (this.#isFull) this.#removeOldest(this.#largest())
  }

  /** The container that has most; where the number of texts is the matter, that counts. */
  #largest(): number {
    const byCount = this.#slotByHandle.size > MOST_TEXTS
    const sizeOf = ({ texts, bytes }: Share) => (byCount ? texts.size : bytes)
    let largest = EARLIER
    let size = -1
    for (const [slot, share] of this.#shares) {
      if (sizeOf(share) <= size) continue
      largest = slot
      size = sizeOf(share)
    }
    return largest
  }

  #removeOldest(slot: number): void {
    const [oldest] = this.#shares.get(slot)?.texts.keys() ?? []
    if (oldest !== undefined) this.remove(oldest)
  }

  #file(fh: number): string {
    return `${this.#directory}/${fh}`
  }
}

const pagesOf = (bytes: number) => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
