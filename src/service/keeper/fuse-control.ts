/**
 * The FUSE control file system, in which each connection has a directory that is called by its device number:
 * Documentation/filesystems/fuse.rst, "Control filesystem". Ours need not be mounted anywhere.
 */

import { closeSync, writeFileSync } from 'node:fs'
import { type Host, orUndefined } from '../../host/host.ts'
import { openDetachedMount } from '../../sys/detached-mount.ts'

export class FuseControl {
  readonly #host: Host
  readonly #minor: number | undefined
  /** The root directory; `undefined` where the kernel mounts nothing without a place: before Linux 5.2. */
  readonly #root: number | undefined

  /** Of the connection whose device has this minor number. */
  constructor(host: Host, minor: number | undefined) {
    this.#host = host
    this.#minor = minor
    this.#root = orUndefined(() => openDetachedMount('fusectl'))
  }

  /** Returns the number of unanswered requests; `undefined` where the kernel does not tell. */
  countWaiting(): number | undefined {
    // The file cannot be read a second time: fs/fuse/control.c opens it with nonseekable_open().
    const text = this.#host.tryRead(this.#file('waiting'))
    return text === undefined ? undefined : Number(text)
  }

  /** Ends the connection: all of its requests fail at once, those that a server has read and never answers, too. */
  abort(): void {
    orUndefined(() => writeFileSync(this.#host.path(this.#file('abort')), '1'))
  }

  close(): void {
    if (this.#root !== undefined) closeSync(this.#root)
  }

  #file(name: string): string {
    return `proc/self/fd/${this.#root}/${this.#minor}/${name}`
  }
}
