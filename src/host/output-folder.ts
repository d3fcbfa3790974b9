/**
 * A folder that somebody names and that we write into as root. Below it nothing is there but what we have made: the
 * folder is held open, belongs to us alone and was empty. So no symbolic link is followed, whoever may change the
 * folders above it.
 */

import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants

const WRITABLE_BY_OTHERS = 0o022

export class OutputFolder {
  readonly #fd: number

  /** Makes the folder where it is missing. Throws when it is not empty, or others can change what is in it. */
  constructor(name: string) {
    // A slash at the end would have the kernel follow a link.
    const folder = resolve(name)
    this.#fd = openFolder(folder)
    try {
      this.#check(folder)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #check(folder: string): void {
    const { uid, mode } = fstatSync(this.#fd)
    if (uid !== process.geteuid?.() || (mode & WRITABLE_BY_OTHERS) !== 0) {
      throw new Error(
        `Cannot write into ${folder}: users other than you may change it (its owner is ${uid}, its mode ${(mode & 0o7777).toString(8)}); name a folder that does not exist`,
      )
    }
    if (readdirSync(this.#path('')).length > 0) {
      throw new Error(`Cannot write into ${folder}: it is not empty; name another folder`)
    }
  }

  makeDirectory(path: string): void {
    mkdirSync(this.#path(path), { recursive: true, mode: 0o755 })
  }

  /** Writes a new file and makes the folders that it is in. The file gets no more rights than `mode`. Returns its path. */
  write(path: string, text: string, mode: number): string {
    this.makeDirectory(dirname(path))
    const file = openSync(this.#path(path), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode & 0o777)
    try {
      writeFileSync(file, text)
    } finally {
      closeSync(file)
    }
    return path
  }

  close(): void {
    closeSync(this.#fd)
  }

  /** A path from elsewhere may have `..` in it, as that of a cgroup beyond a cgroup namespace. */
  #path(path: string): string {
    return `/proc/self/fd/${this.#fd}${join('/', path)}`
  }
}

function openFolder(folder: string): number {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return openSync(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  } catch (cause) {
    throw new Error(`Cannot write into ${folder}: it must be a folder, and no link to one`, {
      cause,
    })
  }
}
