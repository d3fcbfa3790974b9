/** The connection of our mount to the kernel, as the watchdog sees it. */

import { closeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { type Host, orUndefined } from '../../host/host.ts'
import { openDetachedMount } from '../../sys/detached-mount.ts'
import { Sigio } from '../../sys/sigio.ts'
import type { Watched } from './watchdog.ts'

export class Connection implements Watched {
  readonly #host: Host
  readonly #mountPoint: string
  readonly #sigio: Sigio
  /** The root of a FUSE control file system of our own, which need not be mounted anywhere. */
  readonly #control: number | undefined
  readonly #waitingFile: string

  /**
   * `fuse` is /dev/fuse of the mount, and `minor` is the minor number of the mount's device. `arrived` is called once
   * when the next request arrives after `arm`.
   */
  constructor(
    host: Host,
    fuse: number,
    { mountPoint, minor }: { mountPoint: string; minor: number | undefined },
    arrived: () => void,
  ) {
    this.#host = host
    this.#mountPoint = mountPoint
    this.#sigio = new Sigio(fuse, arrived)
    this.#control = orUndefined(() => openDetachedMount('fusectl'))
    // A connection has a directory there that is called by its device number: Documentation/filesystems/fuse.rst,
    // "Control filesystem".
    this.#waitingFile = `proc/self/fd/${this.#control}/${minor}/waiting`
  }

  countWaiting(): number | undefined {
    const text = this.#host.tryRead(this.#waitingFile)
    return text === undefined ? undefined : Number(text)
  }

  /** Calls statfs(2) and not stat(2), which the kernel answers by itself for as long as it holds attributes. */
  ask(): Promise<unknown> {
    return statfs(this.#mountPoint)
  }

  arm(): void {
    this.#sigio.arm()
  }

  disarm(): void {
    this.#sigio.disarm()
  }

  close(): void {
    this.#sigio.close()
    if (this.#control !== undefined) closeSync(this.#control)
  }
}
