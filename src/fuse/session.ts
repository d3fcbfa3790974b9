/** What the serving loop does again and again: it takes requests and answers each, all synchronously. */

import { Batch } from './batch.ts'
import type { Device } from './device.ts'
import { EIO, ENFILE, ENOSYS, LATER, type Verdict } from './errno.ts'
import { Journal, MOST_HELD } from './journal.ts'
import {
  FUSE_INT_REQ_BIT,
  FUSE_NOTIFY_INVAL_INODE,
  FUSE_NOTIFY_RESEND,
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

interface Callbacks {
  /** Called with what went wrong inside of us, once for each failed request. */
  report: (error: unknown) => void
  /** Called when requests were taken, before any of them is answered. */
  taken?: () => void
  /**
   * Called where there was no descriptor left for a request. Returns whether some were given up, so that the request may
   * be tried again.
   */
  makeRoom?: () => boolean
  /** Called when the kernel has taken a reply. */
  replied?: () => void
}

export class Session {
  readonly #device: Device
  readonly #operations: Operations
  readonly #callbacks: Callbacks
  readonly #journal: Journal
  readonly #batch: Batch
  readonly #reply = new Reply()
  /** Requests whose operation is to be run again. */
  #held: Request[] = []
  readonly #notification = new Uint8Array(OutHeader.size + NotifyInvalInodeOut.size)

  /** With a journal of this process alone, what was read and not answered when it dies waits for ever. */
  constructor(
    device: Device,
    operations: Operations,
    callbacks: Callbacks,
    journal = Journal.ofThisProcess(),
  ) {
    this.#device = device
    this.#operations = operations
    this.#callbacks = callbacks
    this.#journal = journal
    this.#batch = new Batch(device, journal)
  }

  /**
   * Has the kernel send again what an earlier server has read and not answered, and no journal holds. False where the
   * kernel cannot: before Linux 6.9.
   */
  askAgain(): boolean {
    return this.#tell(FUSE_NOTIFY_RESEND, 0, 0)
  }

  /**
   * Has `step` answer what earlier servers have left in the journal. `hasFailed`: whether the server before has crashed
   * or hung.
   */
  takeOver(hasFailed: boolean): void {
    const awaited: Request[] = []
    for (const request of this.#journal.takeOver(hasFailed)) {
      if (this.#isAwaited(request)) awaited.push(request)
      else this.#journal.release(request)
    }
    this.#batch.takeOver(awaited)
  }

  /** Whether nobody has answered a request. What needs no answer, or cannot be a request, counts as not answered. */
  #isAwaited(request: Request): boolean {
    if (!request.hasHeader) return true
    const { opcode, uniqueLow, uniqueHigh } = request.header
    if (this.#operations.get(opcode)?.oneWay) return true
    // An answer to the interruption of a request: the kernel takes it where the request waits, and does nothing.
    return this.#tell(0, (uniqueLow | FUSE_INT_REQ_BIT) >>> 0, uniqueHigh)
  }

  /** Sends a header alone. False when the kernel does not take it. */
  #tell(error: number, uniqueLow: number, uniqueHigh: number): boolean {
    const bytes = new Uint8Array(OutHeader.size)
    const header = OutHeader.over(new DataView(bytes.buffer), 0)
    header.len = bytes.length
    header.error = error
    header.uniqueLow = uniqueLow
    header.uniqueHigh = uniqueHigh
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
    for (const request of this.#takeHeld()) this.#serve(request)
  }

  /** Answers now what was to be answered later. */
  finish(): void {
    for (const request of this.#takeHeld()) this.#serve(request, false)
  }

  #takeHeld(): Request[] {
    const held = this.#held
    this.#held = []
    return held
  }

  #serve(request: Request, mayWait = this.#held.length < MOST_HELD): void {
    request.mayWait = mayWait
    this.#journal.begin(request)
    const result = this.#run(request)
    if (result === LATER) {
      this.#journal.hold()
      this.#held.push(request)
      return
    }
    if (result !== undefined) this.#send(request, result)
    this.#journal.release(request)
  }

  /** What to reply with: a body size or a negative errno, or `undefined` for no reply at all. */
  #run(request: Request, mayMakeRoom = true): number | undefined {
    const { header, hasHeader } = request
    // Of less than a header the slot holds what an earlier request has left.
    const operation = hasHeader ? this.#operations.get(header.opcode) : undefined
    this.#reply.passing = undefined
    try {
      request.check()
      if (request.isRefused) throw new Error('Cannot try again: servers have died of it')
      if (operation === undefined) return -ENOSYS
      const result = operation.run(request, this.#reply)
      return operation.oneWay ? undefined : result
    } catch (error) {
      const isShort = isShortOfFiles(error)
      if (isShort && mayMakeRoom && this.#callbacks.makeRoom?.()) return this.#run(request, false)
      const what =
        operation === undefined ? 'a request' : `${operation.name} of node ${header.nodeid}`
      this.#callbacks.report(new Error(`Cannot answer ${what}`, { cause: error }))
      // Without a whole header there is no `unique` that a reply could name.
      return operation?.oneWay || !hasHeader ? undefined : isShort ? -ENFILE : -EIO
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

/** Whoever asks gets ENFILE, where EMFILE would say that it has too many files open itself. */
function isShortOfFiles(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'EMFILE' || code === 'ENFILE'
}
