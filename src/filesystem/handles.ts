/**
 * Open files with their text, open directories with their entries. A text is rendered when its handle is read at
 * offset 0 and only sliced afterwards: one pass of reads sees one moment, and a reader that keeps its descriptor sees
 * a new moment in each pass.
 */

import type { DirectoryEntry } from '../fuse/dirent.ts'
import type { Clock } from '../host/host.ts'
import type { SavedTexts } from './saved-texts.ts'
import { TextCache } from './text-cache.ts'
import { slotOf } from './tree.ts'

interface Handle {
  nodeid: number
  entries: readonly DirectoryEntry[] | undefined
  /** Until then a read at 0 gives the text that was rendered before it came. */
  freshUntilUsec: number
  /** Whether there may be a file for it, and whether that holds the text as it is now. */
  hasFile: boolean
  saved: boolean
}

/** For each container: beyond this the oldest is forgotten. When it is read again it is known by its number alone. */
const MOST_HANDLES = 16_384

/** For a text that has told its size: one older than that is no longer what the system looks like now. */
const PREVIEW_USEC = 100_000

export class Handles {
  readonly #handles = new Map<number, Handle>()
  /** By slot, the oldest first. */
  readonly #opened = new Map<number, Set<number>>()
  /** A file could fill the disk as a text does the memory. */
  readonly #texts = new TextCache(fh => this.#removeFile(fh))
  readonly #clock: Clock
  #next: number

  readonly #firstOwn: number
  readonly #saved: Pick<SavedTexts, 'save' | 'load' | 'remove'>

  /** `startMs`: time of day; handles of an earlier server that readers still hold must not be taken for ours. */
  constructor(startMs: number, clock: Clock, saved: Pick<SavedTexts, 'save' | 'load' | 'remove'>) {
    this.#next = startMs * 2048
    this.#firstOwn = this.#next
    this.#clock = clock
    this.#saved = saved
  }

  open(nodeid: number): number {
    const fh = this.#next++
    this.#add(fh, nodeid)
    return fh
  }

  /** The text that a read will give if it comes within `freshUsec`. */
  preview(
    fh: number,
    nodeid: number,
    render: () => Buffer,
    freshUsec: number = PREVIEW_USEC,
  ): Buffer {
    const handle = this.#find(fh, nodeid)
    handle.freshUntilUsec = this.#clock.monotonicUsec() + freshUsec
    handle.saved = false
    return this.#keep(fh, nodeid, render())
  }

  /**
   * Text to slice a read from. `render` is called at offset 0, and where this handle has no text yet: its reader
   * began elsewhere than at 0, or with another server.
   */
  text(fh: number, nodeid: number, offset: number, render: () => Buffer): Buffer {
    const handle = this.#find(fh, nodeid)
    const { freshUntilUsec } = handle
    handle.freshUntilUsec = NEVER
    const isFresh = freshUntilUsec !== NEVER && this.#clock.monotonicUsec() <= freshUntilUsec
    const begins = offset === 0 && !isFresh
    const known = begins ? undefined : (this.#texts.get(fh) ?? this.#earlier(fh, nodeid, offset))
    if (known !== undefined) return known
    handle.saved = false
    return this.#keep(fh, nodeid, render())
  }

  /** The reader has got only a part of `text`, the beginning: it is to have the rest, whoever answers. */
  unfinished(fh: number, text: Buffer): void {
    const handle = this.#handles.get(fh)
    if (handle === undefined || handle.saved) return
    handle.hasFile = true
    handle.saved = true
    this.#saved.save(fh, text)
  }

  /** The reader has got all of its text at once. */
  finished(fh: number): void {
    this.#removeFile(fh)
  }

  /** The text that an earlier server began to give. What was not saved was read to its end in one piece. */
  #earlier(fh: number, nodeid: number, offset: number): Buffer | undefined {
    if (fh >= this.#firstOwn || offset === 0) return undefined
    return this.#keep(fh, nodeid, this.#saved.load(fh) ?? NOTHING)
  }

  /** As `text`, of a directory. */
  entries(
    fh: number,
    nodeid: number,
    offset: number,
    list: () => readonly DirectoryEntry[],
  ): readonly DirectoryEntry[] {
    const handle = this.#find(fh, nodeid)
    if (offset === 0) handle.entries = undefined
    handle.entries ??= list()
    return handle.entries
  }

  release(fh: number): void {
    this.#removeFile(fh)
    this.#forget(fh)
  }

  #forget(fh: number): void {
    this.#texts.delete(fh)
    const handle = this.#handles.get(fh)
    if (handle === undefined) return
    this.#handles.delete(fh)
    const opened = this.#opened.get(slotOf(handle.nodeid))
    opened?.delete(fh)
    if (opened?.size === 0) this.#opened.delete(slotOf(handle.nodeid))
  }

  /** Whether there is a handle of this slot. */
  isOpen(slot: number): boolean {
    return this.#opened.has(slot)
  }

  get size(): number {
    return this.#handles.size
  }

  #find(fh: number, nodeid: number): Handle {
    const handle = this.#handles.get(fh)
    return handle?.nodeid === nodeid ? handle : this.#add(fh, nodeid)
  }

  #add(fh: number, nodeid: number): Handle {
    const isEarlier = fh < this.#firstOwn
    const handle = {
      nodeid,
      entries: undefined,
      freshUntilUsec: NEVER,
      hasFile: isEarlier,
      saved: isEarlier,
    }
    this.#forget(fh)
    this.#handles.set(fh, handle)
    const slot = slotOf(nodeid)
    const opened = this.#opened.get(slot) ?? new Set()
    this.#opened.set(slot, opened.add(fh))
    const [oldest] = opened
    if (opened.size > MOST_HANDLES && oldest !== undefined) this.release(oldest)
    return handle
  }

  #keep(fh: number, nodeid: number, text: Buffer): Buffer {
    this.#texts.set(fh, slotOf(nodeid), text)
    return text
  }

  /** A handle that this server has not met may have one. */
  #removeFile(fh: number): void {
    const handle = this.#handles.get(fh)
    if (handle?.hasFile ?? true) this.#saved.remove(fh)
    if (handle === undefined) return
    handle.hasFile = false
    handle.saved = false
  }
}

const NOTHING = Buffer.alloc(0)
const NEVER = Number.NEGATIVE_INFINITY
