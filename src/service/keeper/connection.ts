/** The connection of our mount to the kernel, as the watchdog sees it. */

import { statfs } from 'node:fs/promises'
import type { Host } from '../../host/host.ts'
import { Sigio } from '../../sys/sigio.ts'
import { FuseControl } from './fuse-control.ts'
import type { SharedMount } from './shared-mount.ts'
import type { Watched } from './watchdog.ts'

export class Connection implements Watched {
  readonly #mountPoint: string
  readonly #mount: SharedMount
  readonly #sigio: Sigio
  readonly #control: FuseControl

  /** `arrived` is called once when the next request arrives after `arm`. */
  constructor(host: Host, mountPoint: string, mount: SharedMount, arrived: () => void) {
    this.#mountPoint = mountPoint
    this.#mount = mount
    this.#sigio = new Sigio(mount.fuse, arrived)
    this.#control = new FuseControl(host, mount.minor)
  }

  get isWhole(): boolean {
    return this.#mount.state === 'whole'
  }

  countWaiting(): number | undefined {
    return this.#control.countWaiting()
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

  abort(): void {
    this.#control.abort()
  }

  close(): void {
    this.#sigio.close()
    this.#control.close()
  }
}
