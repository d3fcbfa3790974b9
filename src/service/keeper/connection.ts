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
  /** The root of a control file system of our own: it need not be mounted anywhere. */
  readonly #control: number | undefined
  readonly #waitingFile: string

  /** `fuse` is /dev/fuse of the mount, whose `minor` is that of its device; `arrived` is called as `arm` says. */
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
    // Documentation/filesystems/fuse.rst, "Control filesystem": its directories are called by device number.
    this.#waitingFile = `proc/self/fd/${this.#control}/${minor}/waiting`
  }

  countWaiting(): number | undefined {
    const text = this.#host.tryRead(this.#waitingFile)
    return text === undefined ? undefined : Number(text)
  }

  /** Asked with statfs(2): stat(2) the kernel answers by itself for as long as it holds attributes. */
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
