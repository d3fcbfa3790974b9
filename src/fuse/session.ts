/** What the serving loop does again and again: it takes requests and answers each, all synchronously. */

import { Batch } from './batch.ts'
import type { Device } from './device.ts'
import { EIO, ENOSYS, LATER, type Verdict } from './errno.ts'
import {
  FUSE_NOTIFY_INVAL_INODE,
  FUSE_NOTIFY_RESEND,
  InHeader,
  NotifyInvalInodeOut,
  OutHeader,
} from './protocol.ts'
import { Reply } from './reply.ts'
import type { Request } from './request.ts'

export interface Operation {
  name: string
  /** Size of the reply's body, a negative errno, or LATER. */
  run(request: Request, reply: Reply): number
  /** The kernel waits for no reply, and must get none. */
  oneWay?: true
}

/**
 * Operations by opcode. A request for any other opcode is answered with ENOSYS, after which the kernel stops sending
 * most such requests.
 */
export type Operations = ReadonlyMap<number, Operation>

/** So many callers wait at a time, and no more. */
const MOST_HELD = 256

interface Callbacks {
  /** Called with what went wrong inside of us, once for each failed request. */
  report: (error: unknown) => void
  /** Called when requests were taken, before any of them is answered. */
  taken?: () => void
  /** Called when the kernel has taken a reply. */
  replied?: () => void
}

export class Session {
  readonly #device: Device
  readonly #operations: Operations
  readonly #callbacks: Callbacks
  readonly #batch: Batch
  readonly #reply = new Reply()
  /** Requests whose operation is to be run again. */
  #held: Request[] = []
  readonly #notification = new Uint8Array(OutHeader.size + NotifyInvalInodeOut.size)

  constructor(device: Device, operations: Operations, callbacks: Callbacks) {
    this.#device = device
    this.#operations = operations
    this.#callbacks = callbacks
    this.#batch = new Batch(device)
  }

  /**
   * Has the kernel send again what an earlier server on this descriptor has read and not answered. False where the
   * kernel cannot: before Linux 6.9.
   */
  resume(): boolean {
    const bytes = new Uint8Array(OutHeader.size)
    const header = OutHeader.over(new DataView(bytes.buffer), 0)
    header.len = bytes.length
    header.error = FUSE_NOTIFY_RESEND
    try {
      return this.#device.write(bytes, bytes.length) === bytes.length
    } catch {
      return false
    }
  }

  /** Answers the requests that there are. Returns how many there were, or why there was none. */
  step(): number | Verdict {
    const taken = this.#batch.take()
    if (typeof taken === 'string') return taken
    this.#callbacks.taken?.()
    for (let i = 0; i < taken; i++) this.#serve(this.#batch.at(i))
    return taken
  }

  /**
   * The thread that sent the `index`th request of the last step, counted from 0; 0 for what the kernel sends by itself.
   */
  readerAt(index: number): number {
    return this.#batch.at(index).header.pid
  }

  /** Whether requests wait for `retry`. */
  get isHolding(): boolean {
    return this.#held.length > 0
  }

  /** Runs the operations again that were to be run later. */
  retry(): void {
    const held = this.#held
    this.#held = []
    for (const request of held) this.#serve(request, true)
  }

  #serve(request: Request, isOwn = false): void {
    request.mayWait = this.#held.length < MOST_HELD
    const result = this.#run(request)
    if (result === LATER) this.#held.push(isOwn ? request : request.copy())
    else if (result !== undefined) this.#send(request, result)
  }

  /** What to reply with: a body size or a negative errno, or `undefined` for no reply at all. */
  #run(request: Request): number | undefined {
    const { header } = request
    // Of less than a header the buffer holds what an earlier request has left.
    const isWhole = request.size >= InHeader.size
    const operation = isWhole ? this.#operations.get(header.opcode) : undefined
    this.#reply.passing = undefined
    try {
      request.check()
      if (operation === undefined) return -ENOSYS
      const result = operation.run(request, this.#reply)
      return operation.oneWay ? undefined : result
    } catch (error) {
      const what =
        operation === undefined ? 'a request' : `${operation.name} of node ${header.nodeid}`
      this.#callbacks.report(new Error(`Cannot answer ${what}`, { cause: error }))
      // Without a whole header there is no `unique` that a reply could name.
      return operation?.oneWay || !isWhole ? undefined : -EIO
    }
  }

  /** A connection that is gone is noticed when the next request is to be taken. */
  #send(request: Request, result: number): void {
    const { header } = this.#reply
    const { uniqueLow, uniqueHigh } = request.header
    const size = OutHeader.size + Math.max(result, 0)
    header.error = Math.min(result, 0)
    header.uniqueLow = uniqueLow
    header.uniqueHigh = uniqueHigh
    header.len = size
    if (this.#reply.passing !== undefined) this.#invalidate(this.#reply.passing)
    try {
      this.#device.write(this.#reply.buffer, size)
      this.#callbacks.replied?.()
    } catch (error) {
      this.#callbacks.report(error)
    }
  }

  /** Invalidates attributes only: a negative offset leaves the page cache, and the locks in it, alone. */
  #invalidate(nodeid: number): void {
    const view = new DataView(this.#notification.buffer)
    const header = OutHeader.over(view, 0)
    header.len = this.#notification.length
    header.error = FUSE_NOTIFY_INVAL_INODE
    const body = NotifyInvalInodeOut.over(view, OutHeader.size)
    body.ino = nodeid
    body.offLow = -1
    body.offHigh = -1
    try {
      this.#device.write(this.#notification, this.#notification.length)
    } catch (error) {
      this.#callbacks.report(error)
    }
  }
}
