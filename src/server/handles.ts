/**
 * Open files with their text, open directories with their entries. A text is rendered when its handle is read at
 * offset 0 and only sliced afterwards: one pass of reads sees one moment, and a reader that keeps its descriptor sees
 * a new moment in each pass.
 */

import type { DirectoryEntry } from '../fuse/dirent.ts'
import type { Clock } from '../host/host.ts'

interface Handle {
  nodeid: number
  entries: readonly DirectoryEntry[] | undefined
  /** When the text was rendered only to tell its size: the next read at 0 gives this very text. */
  previewedUsec: number
}

/** A container may open files without end: beyond this the oldest text goes, and is rendered again if read. */
const MOST_BYTES = 32 * 2 ** 20

/** A text older than that is no longer what the system looks like now. */
const PREVIEW_USEC = 100_000

export class Handles {
  readonly #handles = new Map<number, Handle>()
  /** By handle, the oldest first. */
  readonly #texts = new Map<number, Buffer>()
  #bytes = 0
  readonly #clock: Clock
  #next: number

  /** `startMs`: time of day; handles of an earlier server that readers still hold must not be taken for ours. */
  constructor(startMs: number, clock: Clock) {
    this.#next = startMs * 2048
    this.#clock = clock
  }

  open(nodeid: number): number {
    const fh = this.#next++
    this.#add(fh, nodeid)
    return fh
  }

  /** The text that a read will give if it comes at once. */
  preview(fh: number, nodeid: number, render: () => string): Buffer {
    this.#find(fh, nodeid).previewedUsec = this.#clock.monotonicUsec()
    return this.#keep(fh, Buffer.from(render()))
  }

  /**
   * Text to slice a read from. `render` is called at offset 0, and where this handle has no text yet: its reader
   * began elsewhere than at 0, or with another server.
   */
  text(fh: number, nodeid: number, offset: number, render: () => string): Buffer {
    const handle = this.#find(fh, nodeid)
    const { previewedUsec } = handle
    handle.previewedUsec = NEVER
    const begins = offset === 0 && this.#clock.monotonicUsec() - previewedUsec > PREVIEW_USEC
    const known = begins ? undefined : this.#texts.get(fh)
    return known ?? this.#keep(fh, Buffer.from(render()))
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
    this.#drop(fh)
    this.#handles.delete(fh)
  }

  get size(): number {
    return this.#handles.size
  }

  #find(fh: number, nodeid: number): Handle {
    const handle = this.#handles.get(fh)
    return handle?.nodeid === nodeid ? handle : this.#add(fh, nodeid)
  }

  #add(fh: number, nodeid: number): Handle {
    const handle = { nodeid, entries: undefined, previewedUsec: NEVER }
    this.#drop(fh)
    this.#handles.set(fh, handle)
    return handle
  }

  #keep(fh: number, text: Buffer): Buffer {
    this.#drop(fh)
    this.#texts.set(fh, text)
    this.#bytes += text.length
    for (const oldest of this.#texts.keys()) {
      if (this.#bytes <= MOST_BYTES || oldest === fh) break
      this.#drop(oldest)
    }
    return text
  }

  #drop(fh: number): void {
    this.#bytes -= this.#texts.get(fh)?.length ?? 0
    this.#texts.delete(fh)
  }
}

const NEVER = Number.NEGATIVE_INFINITY
