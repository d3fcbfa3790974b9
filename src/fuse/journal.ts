/**
 * The requests that were read and are not answered, in memory that outlives the server: the kernel copies each request
 * into a slot of that memory, and the next server finds it there.
 *
 * fuse_dev_do_read() of fs/fuse/dev.c copies a request as a whole before the kernel counts it as read, and nothing kills a
 * process in the middle of that: so a request that was read lies in a slot whose `len` is not 0. The slot is cleared only
 * after the answer was written. What is found in a slot may therefore have been answered: whether it was, the kernel tells.
 *
 *     0     MARK
 *     64    numbers of 32 bits: RUNNING, USED, and AGAINST of each slot
 *     4096  the slots
 */

import { REQUEST_SIZE, Request } from './request.ts'

/** The form of this memory. It is written last: without it, others may have read requests that are not here. */
const MARK = 'procveil requests 1\n'

/** At most this many requests are taken at once: a reader waits for the answers to those before its own. */
export const MOST_TAKEN = 16

/** So many callers wait for a worker at a time, and no more. */
export const MOST_HELD = 256

const SLOTS = MOST_TAKEN + MOST_HELD
const FIRST_SLOT = 4096
export const JOURNAL_SIZE = FIRST_SLOT + SLOTS * REQUEST_SIZE

/** The places of the numbers: the slot whose request is being answered, counted from 1; how many slots were ever used. */
const NUMBERS = 64
const RUNNING = 0
const USED = 1
const AGAINST = 2

/**
 * What speaks against a request that a server was at when it died: more where that failed by itself than where it was
 * killed, which servers may be at any request. At MOST_AGAINST the request is answered with an error, or it would cost every
 * server its life.
 */
const FAILED = 20
const KILLED = 1
const MOST_AGAINST = 40

export class Journal {
  readonly #bytes: Uint8Array
  readonly #numbers: Uint32Array
  /** The requests of all slots that were used and are empty. */
  readonly #free: Request[] = []

  /** `bytes` are JOURNAL_SIZE of memory that starts at a page: what an earlier server has left, or zeros. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#numbers = new Uint32Array(bytes.buffer, bytes.byteOffset + NUMBERS, AGAINST + SLOTS)
  }

  static ofThisProcess(): Journal {
    return new Journal(new Uint8Array(JOURNAL_SIZE))
  }

  /** Whether no server has used this memory. */
  get isNew(): boolean {
    return this.#bytes.subarray(0, NUMBERS).every(byte => byte === 0)
  }

  /** Whether all requests that were read from the connection since it was made are in this memory, or were answered. */
  get isWhole(): boolean {
    const mark = Buffer.from(MARK)
    return mark.equals(this.#bytes.subarray(0, mark.length)) && this.#number(USED) <= SLOTS
  }

  /** Makes it an empty one. */
  clear(): void {
    this.#bytes.fill(0, 0, FIRST_SLOT)
    this.#bytes.set(Buffer.from(MARK))
  }

  /**
   * Returns the requests that earlier servers have left. To be called before all else, and where the memory is whole.
   * `hasFailed`: whether the server before has crashed or hung, and was not killed for other reasons.
   */
  takeOver(hasFailed: boolean): Request[] {
    const running = this.#number(RUNNING) - 1
    this.#numbers[RUNNING] = 0
    const left: Request[] = []
    // The slot of least number is used first, so that few pages are.
    for (let slot = this.#number(USED) - 1; slot >= 0; slot--) {
      const request = this.#at(slot)
      request.size = Math.min(request.header.len, REQUEST_SIZE)
      if (request.size === 0) {
        this.release(request)
        continue
      }
      if (slot === running) this.#numbers[AGAINST + slot] = this.#against(slot, hasFailed)
      request.isRefused = this.#number(AGAINST + slot) >= MOST_AGAINST
      left.push(request)
    }
    return left
  }

  #against(slot: number, hasFailed: boolean): number {
    return Math.min(this.#number(AGAINST + slot) + (hasFailed ? FAILED : KILLED), MOST_AGAINST)
  }

  /** Returns a request to read into. Throws when all slots hold requests. */
  take(): Request {
    const request = this.#free.pop() ?? this.#add()
    // This also has the page in memory. The kernel would not fetch it for a process that is about to be killed, and would
    // end a request that it cannot copy with EIO.
    request.header.len = 0
    return request
  }

  #add(): Request {
    const slot = this.#number(USED)
    if (slot >= SLOTS) throw new RangeError(`Cannot read a request: ${SLOTS} wait for answers`)
    this.#numbers[USED] = slot + 1
    return this.#at(slot)
  }

  #at(slot: number): Request {
    const from = FIRST_SLOT + slot * REQUEST_SIZE
    return new Request(this.#bytes.subarray(from, from + REQUEST_SIZE), slot)
  }

  /** To be called before a request is answered. */
  begin(request: Request): void {
    this.#numbers[RUNNING] = request.slot + 1
  }

  /** To be called when a request is to be answered later. */
  hold(): void {
    this.#numbers[RUNNING] = 0
  }

  /** To be called when a request was answered, or nothing was read. */
  release(request: Request): void {
    request.header.len = 0
    if (this.#numbers[AGAINST + request.slot] !== 0) this.#numbers[AGAINST + request.slot] = 0
    request.isRefused = false
    this.#free.push(request)
  }

  #number(at: number): number {
    return this.#numbers[at] ?? 0
  }
}
