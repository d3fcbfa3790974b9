/**
 * The pseudo-files that stay open, up to a number. When it is reached, only a file that nobody reads any more gives its
 * place to another one: were it the one that was read longest ago, and more files were read in turn than stay open, each
 * would be closed shortly before its turn.
 */

import { constants } from 'node:os'
import { type DirectoryFile, NONE } from './directory-file.ts'

/** The results are sizes or descriptors, or negative errnos. */
export interface FileCalls {
  open(path: string): number
  /** Reads into `buffer` from `at` on, at most up to its end. */
  pread(fd: number, buffer: Buffer, at: number, offset: number): number
  close(fd: number): void
  /** Names of the directories in a directory, at most so many; none when it cannot be read. */
  directories(path: string, most: number): string[]
}

const { EMFILE, ENFILE } = constants.errno

/** A pass is so many times as many readings as files may be open. */
const READINGS_EACH = 8

/** So many files are looked at for one that nobody reads any more. */
const LOOKS = 4

export class OpenFiles {
  readonly #calls: Pick<FileCalls, 'open' | 'close'>
  readonly #mostOpen: number
  /** By descriptor. */
  readonly #files: (DirectoryFile | undefined)[] = []
  /** The pass in which a file was last read, by descriptor. */
  readonly #readIn: number[] = []
  #count = 0
  #readings = 0
  #pass = 0
  /** The descriptor that is looked at next for want of room. */
  #hand = 0

  constructor(calls: Pick<FileCalls, 'open' | 'close'>, mostOpen: number) {
    this.#calls = calls
    this.#mostOpen = mostOpen
  }

  /** Returns a descriptor, which may be kept, or a negative errno. Where there are none left, all are closed for it. */
  open(path: string): number {
    this.#countReading()
    const fd = this.#calls.open(path)
    if (fd !== -EMFILE && fd !== -ENFILE) return fd
    this.closeAll()
    return this.#calls.open(path)
  }

  /** Keeps a file open. Returns false where there is no room for it. */
  keep(file: DirectoryFile, fd: number): boolean {
    if (this.#count >= this.#mostOpen && !this.#makeRoom()) return false
    this.#forget(fd)
    while (this.#files.length <= fd) this.#files.push(undefined)
    while (this.#readIn.length <= fd) this.#readIn.push(0)
    this.#files[fd] = file
    this.#readIn[fd] = this.#pass
    file.fd = fd
    this.#count++
    return true
  }

  /** To be called when the file was read again. */
  used(fd: number): void {
    this.#readIn[fd] = this.#pass
    this.#countReading()
  }

  /** Does nothing for a file that is not open. */
  close(file: DirectoryFile): void {
    const { fd } = file
    if (fd === NONE) return
    this.#calls.close(fd)
    this.#forget(fd)
  }

  /** Whose descriptor this was has none any more. */
  #forget(fd: number): void {
    const file = this.#files[fd]
    if (file === undefined) return
    this.#files[fd] = undefined
    this.#count--
    file.fd = NONE
  }

  get count(): number {
    return this.#count
  }

  closeAll(): void {
    for (const file of this.#files) if (file !== undefined) this.close(file)
  }

  #countReading(): void {
    if (++this.#readings < READINGS_EACH * this.#mostOpen) return
    this.#readings = 0
    this.#pass++
  }

  /** Closes a file that was not read in this pass, nor in the one before. */
  #makeRoom(): boolean {
    for (let look = 0; look < LOOKS; look++) {
      this.#hand = (this.#hand + 1) % this.#files.length
      const file = this.#files[this.#hand]
      if (file === undefined || (this.#readIn[this.#hand] ?? 0) >= this.#pass - 1) continue
      this.close(file)
      return true
    }
    return false
  }
}

/** The kernel keeps 4.4 KiB for each file that is open: a page of fs/seq_file.c, and what stands for the file. */
const MOST_OPEN = 65_536

/** Descriptors that are left for everything else. */
const RESERVED = 256

/** How many files may stay open, by the text of /proc/self/limits, proc_pid_limits(5). */
export function mostOpenFiles(limits: string): number {
  const { soft } = parseOpenFilesLimits(limits) ?? { soft: Number.POSITIVE_INFINITY }
  return Math.max(1, Math.min(soft - RESERVED, MOST_OPEN))
}

/** Returns RLIMIT_NOFILE from the text of /proc/PID/limits; `undefined` when it is not there. */
export function parseOpenFilesLimits(limits: string): { soft: number; hard: number } | undefined {
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? []
  if (soft === undefined || hard === undefined) return undefined
  return { soft: parseLimit(soft), hard: parseLimit(hard) }
}

const parseLimit = (text: string) =>
  text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
