/**
 * The machine as a root directory and a clock: `new Host('/', clock)` is the machine that we run on, and a test gives a
 * folder of captured files. Paths have no leading slash.
 */

import { existsSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs'
import { type Beginning, readBeginning, tooLarge } from './beginning.ts'
import { type Bytes, bytesOf, type DirectoryFile, type Sample } from './directory-file.ts'

export interface Clock {
  /** CLOCK_MONOTONIC, clock_gettime(2). */
  monotonicUsec(): number
  /** CLOCK_BOOTTIME, which also counts while the machine is suspended. */
  boottimeUsec(): number
}

/**
 * No file is read beyond this. The longest of a host is its mountinfo: 100 000 mounts, the kernel's limit for a
 * namespace, have some 30 MiB.
 */
export const MOST_BYTES = 64 * 2 ** 20

export class Host {
  readonly clock: Clock
  /** How often `readFile` has opened a file by its path: what it gives from a descriptor that was kept is no other file. */
  opens = 0
  readonly #root: string

  constructor(root: string, clock: Clock) {
    this.#root = root.endsWith('/') ? root : `${root}/`
    this.clock = clock
  }

  /** The same machine by another clock, and with files of its own that are kept open: whoever has it closes them. */
  withClock(clock: Clock): Host {
    return new Host(this.#root, clock)
  }

  /** Closes all files that are kept open. */
  close(): void {}

  /** The same for want of descriptors. Returns whether there were any. */
  giveUpFiles(): boolean {
    return false
  }

  path(path: string): string {
    return this.#root + path
  }

  /**
   * Text of a pseudo-file. Throws the system's error when it cannot be read, and one with the code EFBIG when it has
   * more than `mostBytes`.
   */
  read(path: string, mostBytes = MOST_BYTES): string {
    const { text, isWhole } = this.readBeginning(path, mostBytes)
    if (isWhole) return text
    throw tooLarge(this.path(path), mostBytes)
  }

  /** Throws the system's error when the file cannot be read. */
  readBeginning(path: string, mostBytes: number): Beginning {
    return readBeginning(this.path(path), mostBytes)
  }

  /**
   * Text of a pseudo-file, `undefined` where `read` throws: absence is normal for most of what we ask.
   */
  tryRead(path: string, mostBytes = MOST_BYTES): string | undefined {
    return orUndefined(() => this.read(path, mostBytes))
  }

  /**
   * Bytes of a pseudo-file that is read once and is no listing, which hold until the next file is read; `undefined` where
   * it cannot be read.
   */
  tryBytes(path: string, mostBytes = MOST_BYTES): Bytes | undefined {
    return bytesOf(this.tryRead(path, mostBytes))
  }

  /** Text of a file that is read again and again; `undefined` when it cannot be read. */
  readFile({ path, isListing, mostBytes }: DirectoryFile): Bytes | undefined {
    this.opens++
    const beginning = orUndefined(() => this.readBeginning(path, mostBytes))
    return beginning?.isWhole || isListing ? bytesOf(beginning?.text) : undefined
  }

  /** Closes the file, if it was kept open. */
  closeFile(_file: DirectoryFile): void {}

  /**
   * Text of a pseudo-file that is read for many containers, which may be some milliseconds old; with a `witness`, it may
   * be a second old as long as that is the same. Throws as `read` does.
   */
  sample(path: string, _witness?: string | number): string {
    return this.read(path)
  }

  /** Gives the text of `sample` as bytes. */
  sampleBytes(path: string): Sample {
    const buffer = Buffer.from(this.sample(path))
    return { buffer, length: buffer.length, version: nextVersion() }
  }

  has(path: string): boolean {
    return existsSync(this.path(path))
  }

  /** The inode number of what is at the path; `undefined` when nothing is. */
  inode(path: string): number | undefined {
    return orUndefined(() => statSync(this.path(path), { throwIfNoEntry: false }))?.ino
  }

  /** Names in a directory, empty when it cannot be read. */
  list(path: string): string[] {
    return orUndefined(() => readdirSync(this.path(path))) ?? []
  }

  /** Names of the directories in a directory, at most so many of them; symbolic links are not followed. */
  directories(path: string, most = Number.POSITIVE_INFINITY): string[] {
    const entries = orUndefined(() => readdirSync(this.path(path), { withFileTypes: true })) ?? []
    const directories = entries.filter(entry => entry.isDirectory())
    return directories.slice(0, most).map(entry => entry.name)
  }

  tryReadLink(path: string): string | undefined {
    return orUndefined(() => readlinkSync(this.path(path)))
  }
}

let versions = 0

/** A number that no text has yet. */
export const nextVersion = () => ++versions

/** What the kernel or another process takes away in between is no error: only the system's errors are caught. */
export function orUndefined<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}

/** The path without symbolic links; the path itself where the system cannot follow it. */
export function realPath(path: string): string {
  return orUndefined(() => realpathSync(path)) ?? path
}
