/** The serving loop: one request, one operation, one reply, all synchronous. */

import type { Device } from './device.ts'
import { EIO, ENOSYS, type Verdict } from './errno.ts'
import {
  FUSE_NOTIFY_INVAL_INODE,
  FUSE_NOTIFY_RESEND,
  InHeader,
  NotifyInvalInodeOut,
  OutHeader,
} from './protocol.ts'
import { Reply } from './reply.ts'
import { Request } from './request.ts'

export interface Operation {
  name: string
  /** Size of the reply's body, or a negative errno. */
  run(request: Request, reply: Reply): number
  /** The kernel wants no reply. */
  oneWay?: true
}

/** By opcode. What is not there is answered with ENOSYS, and most such requests the kernel then stops sending. */
export type Operations = ReadonlyMap<number, Operation>

export class Session {
  readonly #device: Device
  readonly #operations: Operations
  readonly #report: (error: unknown) => void
  readonly #request = new Request()
  readonly #reply = new Reply()
  #kind = 0
  readonly #notification = new Uint8Array(OutHeader.size + NotifyInvalInodeOut.size)

  /** `report` is given what went wrong inside of us, once for each failed request. */
  constructor(device: Device, operations: Operations, report: (error: unknown) => void) {
    this.#device = device
    this.#operations = operations
    this.#report = report
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

  /** Of the last request: its opcode, and whether the reply had a body. */
  get kind(): number {
    return this.#kind
  }

  /** Serves one request, if there is one. */
  step(): 'served' | Verdict {
    const size = this.#device.read(this.#request.buffer)
    if (typeof size === 'string') return size
    const result = this.#serve(size)
    if (result === undefined) return 'served'
    const sent = this.#send(result)
    return sent === 'gone' ? 'gone' : 'served'
  }

  /** What to reply with: a body size or a negative errno, or `undefined` for no reply at all. */
  #serve(size: number): number | undefined {
    const { header } = this.#request
    let operation: Operation | undefined
    this.#reply.passing = undefined
    try {
      this.#request.accept(size)
      operation = this.#operations.get(header.opcode)
      if (operation === undefined) return -ENOSYS
      const result = operation.run(this.#request, this.#reply)
      this.#kind = header.opcode * 2 + (result > 0 ? 1 : 0)
      return operation.oneWay ? undefined : result
    } catch (error) {
      const what =
        operation === undefined ? 'a request' : `${operation.name} of node ${header.nodeid}`
      this.#report(new Error(`Cannot answer ${what}`, { cause: error }))
      // Without a whole header there is no `unique` that a reply could name.
      return operation?.oneWay || size < InHeader.size ? undefined : -EIO
    }
  }

  #send(result: number): number | Verdict {
    const { header } = this.#reply
    const { uniqueLow, uniqueHigh } = this.#request.header
    const size = OutHeader.size + Math.max(result, 0)
    header.error = Math.min(result, 0)
    header.uniqueLow = uniqueLow
    header.uniqueHigh = uniqueHigh
    header.len = size
    if (this.#reply.passing !== undefined) this.#invalidate(this.#reply.passing)
    try {
      return this.#device.write(this.#reply.buffer, size)
    } catch (error) {
      this.#report(error)
      return 'retry'
    }
  }

  /** Attributes only: a negative offset leaves the page cache, and the locks in it, alone. */
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
      this.#report(error)
    }
  }
}
