/** Requests that were taken from the kernel and are not answered yet. */

import type { Device } from './device.ts'
import type { Verdict } from './errno.ts'
import { type Journal, MOST_TAKEN } from './journal.ts'
import type { Request } from './request.ts'

export class Batch {
  readonly #device: Device
  readonly #journal: Journal
  #requests: Request[] = []
  /** Those that an earlier server has taken. */
  #left: Request[] = []
  /** Whether the last read found a request without having to wait for it. */
  #isBusy = false

  constructor(device: Device, journal: Journal) {
    this.#device = device
    this.#journal = journal
  }

  /** Has `take` return these requests before all others. */
  takeOver(requests: Request[]): void {
    this.#left = requests
  }

  /**
   * Takes one request, or all that there are where requests come faster than they are answered. Returns how many were
   * taken, or why there was none. Each is to be released to the journal, or held, before the next call.
   */
  take(): number | Verdict {
    if (this.#left.length > 0) return this.#takeLeft()
    const most = this.#isBusy ? MOST_TAKEN : 1
    for (let taken = 0; taken < most; taken++) {
      const request = this.#journal.take()
      const size = this.#device.read(request.buffer)
      this.#isBusy = typeof size === 'number'
      if (typeof size === 'string') {
        this.#journal.release(request)
        return taken === 0 ? size : taken
      }
      request.size = size
      this.#requests[taken] = request
    }
    return most
  }

  #takeLeft(): number {
    const requests = this.#left.splice(0, MOST_TAKEN)
    this.#requests = requests
    return requests.length
  }

  /** The request that was taken as the `index`th, counted from 0. */
  at(index: number): Request {
    const request = this.#requests[index]
    if (request === undefined)
      throw new RangeError(`Cannot find request ${index}: it was not taken`)
    return request
  }
}
