/** One request of the kernel, in a buffer that is used again for another. */

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

/** The kernel refuses to read into less than FUSE_MIN_READ_BUFFER, 8192; BATCH_FORGET fills what it is given. */
const BUFFER_SIZE = 16 * 1024

type InHeaderFields = ReturnType<typeof InHeader.over>

export class Request {
  readonly buffer = new Uint8Array(BUFFER_SIZE)
  readonly header: InHeaderFields
  /** Bytes at the start of the buffer that were read. */
  size = 0
  /** Whether its operation may return LATER. */
  mayWait = false
  readonly #view = new DataView(this.buffer.buffer)
  readonly #init = InitIn.over(this.#view, InHeader.size)
  readonly #initExtension = InitInExtension.over(this.#view, InHeader.size + InitIn.size)
  readonly #getattr = GetattrIn.over(this.#view, InHeader.size)
  readonly #forget = ForgetIn.over(this.#view, InHeader.size)
  readonly #batchForget = BatchForgetIn.over(this.#view, InHeader.size)
  readonly #forgetOne = ForgetOne.over(this.#view, 0)
  readonly #open = OpenIn.over(this.#view, InHeader.size)
  readonly #read = ReadIn.over(this.#view, InHeader.size)
  readonly #release = ReleaseIn.over(this.#view, InHeader.size)
  readonly #access = AccessIn.over(this.#view, InHeader.size)

  constructor() {
    this.header = InHeader.over(this.#view, 0)
  }

  /** The same request in a buffer of its own. */
  copy(): Request {
    const copied = new Request()
    copied.buffer.set(this.buffer.subarray(0, this.size))
    copied.size = this.size
    return copied
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
    return Buffer.from(this.buffer.buffer, InHeader.size, end - InHeader.size).toString()
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
