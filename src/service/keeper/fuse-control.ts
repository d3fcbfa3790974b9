/**
 * The FUSE control file system, in which each connection has a directory that is called by its device number:
 * Documentation/filesystems/fuse.rst, "Control filesystem". Ours need not be mounted anywhere.
 */

import { closeSync, writeFileSync } from 'node:fs'
import { type Host, orUndefined } from '../../host/host.ts'
import { openDetachedMount } from '../../sys/detached-mount.ts'

export class FuseControl {
  readonly #host: Host
  /** The root directory; `undefined` where the kernel mounts nothing without a place: before Linux 5.2. */
  readonly #root: number | undefined

  constructor(host: Host) {
    this.#host = host
    this.#root = orUndefined(() => openDetachedMount('fusectl'))
  }

  /** Returns the number of unanswered requests; `undefined` where the kernel does not tell. */
  countWaiting(minor: number | undefined): number | undefined {
    const text = this.#host.tryRead(this.#file(minor, 'waiting'))
    return text === undefined ? undefined : Number(text)
  }

  /** Ends a connection: all of its requests fail at once, those that a server has read and never answers, too. */
  abort(minor: number | undefined): void {
    orUndefined(() => writeFileSync(this.#host.path(this.#file(minor, 'abort')), '1'))
  }

  close(): void {
    if (this.#root !== undefined) closeSync(this.#root)
  }

  #file(minor: number | undefined, name: string): string {
    return `proc/self/fd/${this.#root}/${minor}/${name}`
  }
}
