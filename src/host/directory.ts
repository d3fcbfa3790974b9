/**
 * Pseudo-files of a directory that are read again and again. What is kept of a file is small, since a host has some
 * fifteen of them for each container: no path, no text, and a descriptor only where the reader of the files keeps one.
 */

import { type Bytes, type DirectoryFile, PRESENT, textOf } from './directory-file.ts'
import type { Host } from './host.ts'

/**
 * A file that is not there may come: a controller is enabled later. A look for it is one open(2) that fails, which takes
 * some 5 us with all that belongs to it; between two looks an absent file takes 0.07 us.
 */
const ABSENT_USEC = 100_000

/** A directory of which only absent files are asked for is looked for as often as this. */
const THERE_USEC = 1_000_000

export abstract class Directory {
  readonly #host: Host
  /** Path below the host's root of what the directory lies in, without a leading slash. */
  readonly #parent: string
  /** Path below `#parent`, with a leading slash. */
  readonly #below: string
  /** There are few files, for which an array takes less memory than a Map, and no more time. */
  readonly #files: DirectoryFile[] = []
  /** Time of CLOCK_MONOTONIC until which the directory is taken to be there, when a file is not. */
  #thereUntilUsec = 0

  /** The two parts of the path are kept as they are given: directories of one host share them. */
  constructor(host: Host, parent: string, below: string) {
    this.#host = host
    this.#parent = parent
    this.#below = below
  }

  get path(): string {
    return this.#parent + this.#below
  }

  /** The path below what the directory lies in. */
  get below(): string {
    return this.#below
  }

  /** Makes what is kept of a file. */
  protected abstract fileOf(name: string): DirectoryFile

  /** To be called when a file that was there, or the directory, is not there any more. */
  protected abstract lose(): void

  /** Whether another directory has taken the place of this one. It is asked when a file was opened by its path. */
  abstract isReplaced(): boolean

  /** Text of one of the files, `undefined` where the kernel gives none. */
  read(name: string): string | undefined {
    return textOf(this.bytes(name))
  }

  /** Reads as `read` does, and gives bytes that hold until the next file is read. */
  bytes(name: string): Bytes | undefined {
    const file = this.#find(name)
    if (this.#isKnownAbsent(file)) return undefined
    const bytes = this.#readOwn(file)
    if (bytes !== undefined) file.absentUntilUsec = PRESENT
    else if (file.absentUntilUsec === PRESENT || !this.#isThere()) this.lose()
    else file.absentUntilUsec = this.#host.clock.monotonicUsec() + ABSENT_USEC
    return bytes
  }

  /** Reads a file of this directory, and none of another one that has its path by now. */
  #readOwn(file: DirectoryFile): Bytes | undefined {
    const { opens } = this.#host
    const bytes = this.#host.readFile(file)
    if (bytes === undefined || this.#host.opens === opens || !this.isReplaced()) return bytes
    this.#host.closeFile(file)
    this.#thereUntilUsec = 0
    return undefined
  }

  #isKnownAbsent({ absentUntilUsec }: DirectoryFile): boolean {
    if (absentUntilUsec === 0 || absentUntilUsec === PRESENT) return false
    return this.#host.clock.monotonicUsec() < absentUntilUsec
  }

  /** Whether the directory is there, or was a short time ago. */
  #isThere(): boolean {
    const now = this.#host.clock.monotonicUsec()
    if (now < this.#thereUntilUsec) return true
    if (!this.exists()) return false
    this.#thereUntilUsec = now + THERE_USEC
    return true
  }

  #find(name: string): DirectoryFile {
    for (const known of this.#files) if (known.name === name) return known
    const made = this.fileOf(name)
    this.#files.push(made)
    return made
  }

  exists(): boolean {
    return this.#host.has(this.path)
  }

  /** Closes the files; one that is read afterwards is opened again. */
  close(): void {
    for (const file of this.#files) this.#host.closeFile(file)
  }
}
