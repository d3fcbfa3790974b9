/** The connection of our mount to the kernel, as the watchdog sees it. */

import { closeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { type Host, orUndefined } from '../../host/host.ts'
import { openDetached } from '../../sys/detached-mount.ts'
import { Arrival } from '../../sys/sigio.ts'
import type { Watched } from './watchdog.ts'

export class Connection implements Watched {
  readonly #host: Host
  readonly #mountPoint: string
  readonly #arrival: Arrival
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
    this.#arrival = new Arrival(fuse, arrived)
    this.#control = orUndefined(() => openDetached('fusectl'))
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
    this.#arrival.arm()
  }

  disarm(): void {
    this.#arrival.disarm()
  }

  close(): void {
    this.#arrival.close()
    if (this.#control !== undefined) closeSync(this.#control)
  }
}
