/**
 * Entries of a tree of pseudo-files that many ask for, such as sysfs: names, modes and texts are a second old at most. A
 * file that takes the kernel long is so read once a second, however many readers it has. No link is followed, whatever a
 * path leads through.
 */

import { closeSync, constants, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { constants as system } from 'node:os'
import type { Host } from './host.ts'

export type EntryKind = 'directory' | 'file' | 'link'

export interface HostEntry {
  readonly kind: EntryKind
  /** The permission bits. */
  readonly mode: number
}

/** What the file system needs of the host's entries. A negative number is an errno. */
export interface Entries {
  /** `undefined` for nothing, for what is of another kind, and below a link. */
  entry(path: string): HostEntry | undefined
  /** Names in a directory, sorted. */
  list(path: string): readonly string[] | number
  text(path: string): Buffer | number
  /** What a link says; `undefined` for none. */
  link(path: string): string | undefined
}

const KEPT_USEC = 1_000_000

/** So many entries and texts are kept, and so many bytes of texts; then all are forgotten. */
const MOST_KEPT = 8192
const MOST_KEPT_BYTES = 4 * 2 ** 20

/** Most files of sysfs have a page at most; those with more are refused. */
const MOST_BYTES = 256 * 1024

interface Kept<T> {
  value: T
  usec: number
}

export class KeptEntries implements Entries {
  readonly #host: Host
  readonly #entries = new Map<string, Kept<HostEntry | undefined>>()
  readonly #lists = new Map<string, Kept<readonly string[] | number>>()
  readonly #texts = new Map<string, Kept<Buffer | number>>()
  readonly #buffer = Buffer.allocUnsafe(MOST_BYTES + 1)
  #bytes = 0

  constructor(host: Host) {
    this.#host = host
  }

  entry(path: string): HostEntry | undefined {
    return this.#keep(this.#entries, path, () => this.#look(path))
  }

  #look(path: string): HostEntry | undefined {
    const stat = orErrno(() => lstatSync(this.#host.path(path)))
    if (typeof stat === 'number') return undefined
    const mode = stat.mode & 0o7777
    if (stat.isDirectory()) return { kind: 'directory', mode }
    if (stat.isFile()) return { kind: 'file', mode }
    return stat.isSymbolicLink() ? { kind: 'link', mode } : undefined
  }

  list(path: string): readonly string[] | number {
    return this.#keep(this.#lists, path, () =>
      orErrno(() => readdirSync(this.#host.path(path)).sort()),
    )
  }

  text(path: string): Buffer | number {
    return this.#keep(this.#texts, path, () => {
      const text = orErrno(() => this.#read(this.#host.path(path)))
      if (typeof text !== 'number') this.#bytes += text.length
      return text
    })
  }

  link(path: string): string | undefined {
    return this.#host.tryReadLink(path)
  }

  #read(path: string): Buffer {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      let length = 0
      for (;;) {
        const size = readSync(fd, this.#buffer, length, this.#buffer.length - length, null)
        if (size === 0) return Buffer.from(this.#buffer.subarray(0, length))
        length += size
        if (length > MOST_BYTES) {
          throw Object.assign(new Error(`Cannot read ${path}: it is too long`), { code: 'EFBIG' })
        }
      }
    } finally {
      closeSync(fd)
    }
  }

  #keep<T>(kept: Map<string, Kept<T>>, path: string, make: () => T): T {
    const usec = this.#host.clock.monotonicUsec()
    const known = kept.get(path)
    if (known !== undefined && usec - known.usec < KEPT_USEC) return known.value
    if (kept.size >= MOST_KEPT || this.#bytes > MOST_KEPT_BYTES) this.#forget()
    const value = make()
    kept.set(path, { value, usec })
    return value
  }

  #forget(): void {
    this.#entries.clear()
    this.#lists.clear()
    this.#texts.clear()
    this.#bytes = 0
  }
}

/** Where there are no descriptors left the error is thrown: the caller may make room. */
function orErrno<T>(action: () => T): T | number {
  try {
    return action()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (typeof code !== 'string' || code === 'EMFILE' || code === 'ENFILE') throw error
    const errno: Readonly<Record<string, number>> = system.errno
    return -(errno[code] ?? system.errno.EIO)
  }
}
