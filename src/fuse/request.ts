/** One request of the kernel, in memory that is used again for another. */

import {
  AccessIn,
  BatchForgetIn,
  ForgetIn,
  ForgetOne,
  GetattrIn,
  InHeader,
  InitIn,
  InitInExtension,
  OpenIn,
  ReadIn,
  ReleaseIn,
} from './protocol.ts'

/**
 * The kernel refuses to read into less than FUSE_MIN_READ_BUFFER; our `maxWrite` is smaller than that. What is larger, a
 * long extended attribute, fails without having been read. BATCH_FORGET fills what it is given.
 */
export const REQUEST_SIZE = 8192

type Over<S extends { over: (view: DataView, offset: number) => unknown }> = ReturnType<S['over']>

export class Request {
  readonly buffer: Uint8Array
  /** The number of its place in the journal. */
  readonly slot: number
  readonly header: Over<typeof InHeader>
  /** Bytes at the start of the buffer that were read. */
  size = 0
  /** Whether its operation may return LATER. */
  mayWait = false
  /** Whether it is answered with an error, since servers have died of it. */
  isRefused = false
  readonly #init: Over<typeof InitIn>
  readonly #initExtension: Over<typeof InitInExtension>
  readonly #getattr: Over<typeof GetattrIn>
  readonly #forget: Over<typeof ForgetIn>
  readonly #batchForget: Over<typeof BatchForgetIn>
  readonly #forgetOne: Over<typeof ForgetOne>
  readonly #open: Over<typeof OpenIn>
  readonly #read: Over<typeof ReadIn>
  readonly #release: Over<typeof ReleaseIn>
  readonly #access: Over<typeof AccessIn>

  /** `buffer` has room for REQUEST_SIZE bytes. */
  constructor(buffer: Uint8Array, slot: number) {
    this.buffer = buffer
    this.slot = slot
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
    this.header = InHeader.over(view, 0)
    this.#init = InitIn.over(view, InHeader.size)
    this.#initExtension = InitInExtension.over(view, InHeader.size + InitIn.size)
    this.#getattr = GetattrIn.over(view, InHeader.size)
    this.#forget = ForgetIn.over(view, InHeader.size)
    this.#batchForget = BatchForgetIn.over(view, InHeader.size)
    this.#forgetOne = ForgetOne.over(view, 0)
    this.#open = OpenIn.over(view, InHeader.size)
    this.#read = ReadIn.over(view, InHeader.size)
    this.#release = ReleaseIn.over(view, InHeader.size)
    this.#access = AccessIn.over(view, InHeader.size)
  }

  /** Whether so much was read that it can be answered. */
  get hasHeader(): boolean {
    return this.size >= InHeader.size
  }

  /** Throws when what was read cannot be a request. */
  check(): void {
    const { size } = this
    if (size < InHeader.size || this.header.len !== size) {
      const length = size < InHeader.size ? 'no whole header' : `a length of ${this.header.len}`
      throw new RangeError(`Cannot read a FUSE request: ${size} bytes with ${length}`)
    }
  }

  get init() {
    return this.#body(this.#init, InitIn.size)
  }

  /** The flags are 0 from a kernel that has no extended ones. */
  get initFlags2(): number {
    const end = InHeader.size + InitIn.size + InitInExtension.size
    return this.size < end ? 0 : this.#initExtension.flags2
  }

  get getattr() {
    return this.#body(this.#getattr, GetattrIn.size)
  }

  get forget() {
    return this.#body(this.#forget, ForgetIn.size)
  }

  get open() {
    return this.#body(this.#open, OpenIn.size)
  }

  get read() {
    return this.#body(this.#read, ReadIn.size)
  }

  get release() {
    return this.#body(this.#release, ReleaseIn.size)
  }

  get access() {
    return this.#body(this.#access, AccessIn.size)
  }

  /** Calls `visit` for each entry of a BATCH_FORGET. */
  eachForget(visit: (nodeid: number, nlookup: number) => void): void {
    const start = InHeader.size + BatchForgetIn.size
    const { count } = this.#body(this.#batchForget, BatchForgetIn.size)
    this.#require(BatchForgetIn.size + count * ForgetOne.size)
    for (let i = 0; i < count; i++) {
      this.#forgetOne.moveTo(start + i * ForgetOne.size)
      visit(this.#forgetOne.nodeid, this.#forgetOne.nlookup)
    }
  }

  /** The file name that is the body of LOOKUP and its like. */
  get name(): string {
    const end = this.buffer.indexOf(0, InHeader.size)
    if (end < 0 || end >= this.size) {
      throw new RangeError(`Cannot read a name in a FUSE request: ${this.size} bytes without NUL`)
    }
    const { buffer, byteOffset } = this.buffer
    return Buffer.from(buffer, byteOffset + InHeader.size, end - InHeader.size).toString()
  }

  #body<T>(fields: T, size: number): T {
    this.#require(size)
    return fields
  }

  #require(size: number): void {
    if (this.size < InHeader.size + size) {
      throw new RangeError(
        `Cannot read a FUSE request of opcode ${this.header.opcode}: ${this.size} bytes, not ${InHeader.size + size}`,
      )
    }
  }
}
