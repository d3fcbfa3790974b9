/** An open /dev/fuse, and the one place where its errnos are judged. */

import { readInto, writeFrom, yieldCpu } from '../sys/fuse-device.ts'
import { waitEither } from '../sys/poll.ts'
import { judge, type Verdict } from './errno.ts'

export interface Device {
  /** Returns the size of the request that now stands at the start of `buffer`, or what to do instead. */
  read(buffer: Uint8Array): number | Verdict
  /** Sends the first `size` bytes as one reply. */
  write(buffer: Uint8Array, size: number): number | Verdict
}

export class FuseDevice implements Device {
  readonly #fd: number

  constructor(fd: number) {
    this.#fd = fd
  }

  read(buffer: Uint8Array): number | Verdict {
    const size = readInto(this.#fd, buffer)
    return size < 0 ? judge('read /dev/fuse', -size) : size
  }

  write(buffer: Uint8Array, size: number): number | Verdict {
    const written = writeFrom(this.#fd, buffer, size)
    return written < 0 ? judge('write to /dev/fuse', -written) : written
  }

  /** Lets others on our CPU run: one of them may be about to send a request. */
  yield(): void {
    yieldCpu()
  }

  /** Waits for a request or for `other`, at most `timeoutMs` (-1: for ever). True when `other` can be read. */
  wait(other: number, timeoutMs: number): boolean {
    return waitEither(this.#fd, other, timeoutMs)
  }
}
