/** Requests that were taken from the kernel and are not answered yet, in buffers that are used again for the next. */

import type { Device } from './device.ts'
import type { Verdict } from './errno.ts'
import { Request } from './request.ts'

/** At most this many requests are taken at once: a reader waits for the answers to those before its own. */
const MOST = 16

export class Batch {
  readonly #device: Device
  readonly #requests = [new Request()]
  /** Whether the last read found a request without having to wait for it. */
  #isBusy = false

  constructor(device: Device) {
    this.#device = device
  }

  /**
   * Takes one request, or all that there are where requests come faster than they are answered. Returns how many were
   * taken, or why there was none.
   */
  take(): number | Verdict {
    const most = this.#isBusy ? MOST : 1
    for (let taken = 0; taken < most; taken++) {
      const request = this.at(taken)
      const size = this.#device.read(request.buffer)
      this.#isBusy = typeof size === 'number'
      if (typeof size === 'string') return taken === 0 ? size : taken
      request.size = size
    }
    return most
  }

  /** The request that was taken as the `index`th, counted from 0. */
  at(index: number): Request {
    const known = this.#requests[index]
    if (known !== undefined) return known
    const made = new Request()
    this.#requests.push(made)
    return made
  }
}
