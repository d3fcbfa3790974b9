/** An open /dev/fuse, and the one place where its errnos are judged. */

import { readInto, waitReadable, writeFrom } from '../sys/device.ts'
import { judge, type Verdict } from './errno.ts'

export interface Device {
  /** Size of the request that now stands at the start of `buffer`, or what to do instead. */
  read(buffer: Uint8Array): number | Verdict
  /** Sends the first `size` bytes as one reply. */
  write(buffer: Uint8Array, size: number): number | Verdict
  /** Waits for a request, at most `timeoutMs` (-1: for ever). */
  wait(timeoutMs: number): void
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

  wait(timeoutMs: number): void {
    waitReadable(this.#fd, timeoutMs)
  }
}
