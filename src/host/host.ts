/**
 * The machine as a root directory and a clock: `new Host('/', clock)` is the machine that we run on, and a test gives a
 * folder of captured files. Paths have no leading slash.
 */

import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  realpathSync,
} from 'node:fs'

export interface Clock {
  /** CLOCK_MONOTONIC, clock_gettime(2). */
  monotonicUsec(): number
  /** CLOCK_BOOTTIME, which also counts while the machine is suspended. */
  boottimeUsec(): number
}

/** A pseudo-file that is read again and again. */
export interface PseudoFile {
  /** Reads as `Host.tryRead` does. */
  tryRead(): string | undefined
  /** Closes the file, which may be read again all the same. */
  close(): void
}

export class Host {
  readonly clock: Clock
  readonly #root: string

  constructor(root: string, clock: Clock) {
    this.#root = root.endsWith('/') ? root : `${root}/`
    this.clock = clock
  }

  path(path: string): string {
    return this.#root + path
  }

  /** Text of a pseudo-file. Throws the system's error when it cannot be read. */
  read(path: string): string {
    return readPseudoFile(this.path(path))
  }

  /**
   * Text of a pseudo-file, `undefined` where the kernel gives no such file: absence is normal for most of what we ask.
   */
  tryRead(path: string): string | undefined {
    return orUndefined(() => this.read(path))
  }

  /**
   * A file that is to be read many times. The kernel makes the text of a `listing` line by line, and may give a part of
   * it at a time.
   */
  file(path: string, _listing: boolean): PseudoFile {
    return { tryRead: () => this.tryRead(path), close: () => {} }
  }

  /**
   * Text of a pseudo-file that is read for many containers, which may be some milliseconds old. Throws as `read` does.
   */
  sample(path: string): string {
    return this.read(path)
  }

  has(path: string): boolean {
    return existsSync(this.path(path))
  }

  /** Names in a directory, empty when it cannot be read. */
  list(path: string): string[] {
    return orUndefined(() => readdirSync(this.path(path))) ?? []
  }

  /** Names of the directories in a directory; symbolic links are not followed. */
  directories(path: string): string[] {
    const entries = orUndefined(() => readdirSync(this.path(path), { withFileTypes: true })) ?? []
    return entries.filter(entry => entry.isDirectory()).map(entry => entry.name)
  }

  tryReadLink(path: string): string | undefined {
    return orUndefined(() => readlinkSync(this.path(path)))
  }
}

/** The st_size of a pseudo-file says nothing, so it is read until a read returns 0. */
function readPseudoFile(path: string): string {
  const fd = openSync(path, 'r')
  try {
    let length = 0
    for (;;) {
      if (length === buffer.length) grow()
      const size = readSync(fd, buffer, length, buffer.length - length, null)
      if (size === 0) return buffer.toString('utf8', 0, length)
      length += size
    }
  } finally {
    closeSync(fd)
  }
}

let buffer = Buffer.allocUnsafe(64 * 1024)

function grow(): void {
  const larger = Buffer.allocUnsafe(buffer.length * 2)
  buffer.copy(larger)
  buffer = larger
}

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
