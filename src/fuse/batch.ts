/** Requests taken from the kernel and not answered yet, in buffers that are used again for the next. */

import type { Device } from './device.ts'
import type { Verdict } from './errno.ts'
import { Request } from './request.ts'

/** At once. A reader waits for the answers to those before. */
const MOST = 16

export class Intake {
  readonly #device: Device
  readonly #requests = [new Request()]
  /** Whether there was a request the last time, without having to wait for it. */
  #isBusy = false

  constructor(device: Device) {
    this.#device = device
  }

  /**
   * Takes one request, and where they come faster than they are answered, all that there are: how many, or why there
   * is none.
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

  /** The one that was taken as the `index`th. */
  at(index: number): Request {
    const known = this.#requests[index]
    if (known !== undefined) return known
    const made = new Request()
    this.#requests.push(made)
    return made
  }
}
