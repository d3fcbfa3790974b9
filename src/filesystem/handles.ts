/**
 * Open files with their text, open directories with their entries. A text is rendered when its handle is read at
 * offset 0 and only sliced afterwards: one pass of reads sees one moment, and a reader that keeps its descriptor sees
 * a new moment in each pass.
 */

import type { DirectoryEntry } from '../fuse/dirent.ts'
import type { Clock } from '../host/host.ts'
import { ByAge, type Linked, Lists } from './by-age.ts'
import type { HandleNumbers } from './handle-numbers.ts'
import type { Texts } from './saved-texts.ts'
import { TextCache } from './text-cache.ts'
import { slotOf as slotOfPlace } from './tree.ts'

const NOTHING = Buffer.alloc(0)
const NEVER = Number.NEGATIVE_INFINITY

class Handle implements Linked<Handle> {
  readonly fh: number
  readonly nodeid: number
  entries: readonly DirectoryEntry[] | undefined
  /** Until this time a read at offset 0 gives the text that was rendered before the read came. */
  freshUntilUsec = NEVER
  /** Whether there may be a file with a text of this handle. */
  hasFile: boolean
  /** Whether a file holds the text of this handle as it is now. */
  saved: boolean
  older: Handle | undefined
  newer: Handle | undefined

  constructor(fh: number, nodeid: number, isEarlier: boolean) {
    this.fh = fh
    this.nodeid = nodeid
    this.hasFile = isEarlier
    this.saved = isEarlier
  }
}

/**
 * A container has at most so many handles; beyond that its oldest handle is forgotten. When a forgotten handle is read
 * again, only its number is known.
 */
const MOST_HANDLES = 16_384

/**
 * A text that has told its size may be read for this long: an older text no longer shows what the system looks like
 * now.
 */
const PREVIEW_USEC = 100_000

/**
 * So many entries of directories are kept for their readers. Beyond that those who began first have theirs listed again:
 * a directory of sysfs has thousands on a large machine, and a container may open it again and again.
 */
const MOST_ENTRIES = 65_536

/** What a handle's number is taken from. */
type Numbers = Pick<HandleNumbers, 'first' | 'take'>

export class Handles {
  readonly #handles = new Map<number, Handle>()
  /** The handles of each slot, the oldest first. */
  readonly #opened = new Lists(() => new ByAge<Handle>())
  /** The texts of the handles. The file of a text goes with it: files could fill the disk as texts do the memory. */
  readonly #texts = new TextCache(fh => this.#removeFile(fh))
  /** Those with entries, the oldest first. */
  readonly #listed = new Set<Handle>()
  #entries = 0
  readonly #clock: Clock
  readonly #slotOf: (nodeid: number) => number
  readonly #numbers: Numbers
  readonly #saved: Texts

  /** `slotOf` tells whose a node is. */
  constructor(
    numbers: Numbers,
    clock: Clock,
    saved: Texts,
    slotOf: (nodeid: number) => number = slotOfPlace,
  ) {
    this.#slotOf = slotOf
    this.#numbers = numbers
    this.#clock = clock
    this.#saved = saved
  }

  open(nodeid: number): number {
    const fh = this.#numbers.take()
    this.#add(fh, nodeid)
    return fh
  }

  /** Renders the text that a read gives if it comes within `freshUsec`. */
  preview(
    fh: number,
    nodeid: number,
    render: () => Buffer,
    freshUsec: number = PREVIEW_USEC,
  ): Buffer {
    const untilUsec = this.#clock.monotonicUsec() + freshUsec
    const text = this.begin(fh, nodeid, render())
    this.#find(fh, nodeid).freshUntilUsec = untilUsec
    return text
  }

  /**
   * Returns the text to slice a read from; `undefined` where it is to be rendered, for `begin`: at offset 0, and where
   * the handle has no text yet because its reader began elsewhere than at 0, or with another server.
   */
  known(fh: number, nodeid: number, offset: number): Buffer | undefined {
    const handle = this.#find(fh, nodeid)
    const { freshUntilUsec } = handle
    handle.freshUntilUsec = NEVER
    const isFresh = freshUntilUsec !== NEVER && this.#clock.monotonicUsec() <= freshUntilUsec
    if (offset === 0 && !isFresh) return undefined
    return this.#texts.get(fh) ?? this.#earlier(fh, nodeid, offset)
  }

  /** Keeps a text that was rendered at this moment. Returns it. */
  begin(fh: number, nodeid: number, text: Buffer): Buffer {
    const handle = this.#find(fh, nodeid)
    handle.freshUntilUsec = NEVER
    handle.saved = false
    return this.#keep(fh, nodeid, text)
  }

  /**
   * To be called when a reader has got only the beginning of `text`: it is to have the rest of the same text,
   * whichever server answers.
   */
  unfinished(fh: number, text: Buffer): void {
    const handle = this.#handles.get(fh)
    if (handle === undefined || handle.saved) return
    handle.hasFile = true
    handle.saved = true
    this.#saved.save(fh, this.#slotOf(handle.nodeid), text)
  }

  /** To be called when a reader has got all of its text at once. */
  finished(fh: number): void {
    this.#removeFile(fh)
  }

  /**
   * Returns the text that an earlier server began to give. A text that was not saved was read to its end in one piece,
   * so nothing of it is left to give.
   */
  #earlier(fh: number, nodeid: number, offset: number): Buffer | undefined {
    if (fh >= this.#numbers.first || offset === 0) return undefined
    return this.#keep(fh, nodeid, this.#saved.load(fh) ?? NOTHING)
  }

  /** Returns the entries of a directory. `list` is called at offset 0, and where the handle has no entries yet. */
  entries(
    fh: number,
    nodeid: number,
    offset: number,
    list: () => readonly DirectoryEntry[],
  ): readonly DirectoryEntry[] {
    const handle = this.#find(fh, nodeid)
    if (offset === 0) this.#dropEntries(handle)
    if (handle.entries !== undefined) return handle.entries
    const entries = list()
    handle.entries = entries
    this.#listed.add(handle)
    this.#entries += entries.length
    for (const oldest of this.#listed) {
      if (this.#entries <= MOST_ENTRIES || oldest === handle) break
      this.#dropEntries(oldest)
    }
    return entries
  }

  #dropEntries(handle: Handle): void {
    if (!this.#listed.delete(handle)) return
    this.#entries -= handle.entries?.length ?? 0
    handle.entries = undefined
  }

  release(fh: number): void {
    this.#removeFile(fh)
    const handle = this.#handles.get(fh)
    if (handle !== undefined) this.#forget(handle)
  }

  #forget(handle: Handle): void {
    this.#dropEntries(handle)
    this.#texts.delete(handle.fh)
    this.#handles.delete(handle.fh)
    this.#opened.of(this.#slotOf(handle.nodeid)).remove(handle)
  }

  /** Whether a handle of this slot is open. */
  isOpen(slot: number): boolean {
    return this.#opened.has(slot)
  }

  get size(): number {
    return this.#handles.size
  }

  /** A handle that is not known is one of an earlier server, or was forgotten. */
  #find(fh: number, nodeid: number): Handle {
    const handle = this.#handles.get(fh)
    if (handle?.nodeid === nodeid) return handle
    if (handle !== undefined) this.#forget(handle)
    return this.#add(fh, nodeid)
  }

  #add(fh: number, nodeid: number): Handle {
    const handle = new Handle(fh, nodeid, fh < this.#numbers.first)
    this.#handles.set(fh, handle)
    const opened = this.#opened.of(this.#slotOf(nodeid))
    opened.add(handle)
    if (opened.count > MOST_HANDLES && opened.oldest !== undefined) this.release(opened.oldest.fh)
    return handle
  }

  #keep(fh: number, nodeid: number, text: Buffer): Buffer {
    this.#texts.set(fh, this.#slotOf(nodeid), text)
    return text
  }

  /** Removes the file of a text. A handle that this server has not met may have a file, too. */
  #removeFile(fh: number): void {
    const handle = this.#handles.get(fh)
    if (handle?.hasFile ?? true) this.#saved.remove(fh)
    if (handle === undefined) return
    handle.hasFile = false
    handle.saved = false
  }
}
