/** The kernel's side of a rehearsal: sends requests, one at a time, and takes the replies. */

import type { Device } from '../../fuse/device.ts'
import {
  EntryOut,
  ForgetIn,
  FUSE_READ_LOCKOWNER,
  GetattrIn,
  InHeader,
  Opcode,
  OpenIn,
  OpenOut,
  OutHeader,
  ReadIn,
  ReleaseIn,
} from '../../fuse/protocol.ts'

/** The longest name that is looked up is much shorter. */
const MOST_BODY_BYTES = 256

/** A reply with the longest text that may be read at a time, or a part of it: only the beginning is looked into. */
const REPLY_BYTES = 64 * 1024

/** What cat(1) asks for at a time. */
const READ_BYTES = 128 * 1024

export class RehearsedKernel {
  /** The process that asks. */
  pid = 1
  readonly #device: Device
  readonly #serve: () => void
  readonly #request = new Uint8Array(InHeader.size + MOST_BODY_BYTES)
  readonly #requestView = new DataView(this.#request.buffer)
  readonly #header = InHeader.over(this.#requestView, 0)
  readonly #forget = ForgetIn.over(this.#requestView, InHeader.size)
  readonly #read = ReadIn.over(this.#requestView, InHeader.size)
  readonly #release = ReleaseIn.over(this.#requestView, InHeader.size)
  readonly #reply = new Uint8Array(REPLY_BYTES)
  readonly #replyView = new DataView(this.#reply.buffer)
  readonly #replyHeader = OutHeader.over(this.#replyView, 0)
  readonly #entry = EntryOut.over(this.#replyView, OutHeader.size)
  readonly #opened = OpenOut.over(this.#replyView, OutHeader.size)
  #unique = 0

  /** `device` is the other end of the server's. `serve` has the server answer what was sent. */
  constructor(device: Device, serve: () => void) {
    this.#device = device
    this.#serve = serve
  }

  /** Returns the node that a directory has by this name. */
  lookup(parent: number, name: string): number | undefined {
    this.#begin(Opcode.LOOKUP, parent)
    const { written } = new TextEncoder().encodeInto(name, this.#request.subarray(InHeader.size))
    return this.#ask(written + 1) ? this.#entry.nodeid : undefined
  }

  getattr(nodeid: number): void {
    this.#begin(Opcode.GETATTR, nodeid)
    this.#ask(GetattrIn.size)
  }

  /** Returns the number of the handle; `undefined` where there is no reply, or none yet. */
  open(nodeid: number): number | undefined {
    this.#begin(Opcode.OPEN, nodeid)
    return this.#ask(OpenIn.size) ? this.#opened.fh : undefined
  }

  /** Returns how many bytes were read. */
  read(nodeid: number, fh: number, offset: number): number {
    this.#begin(Opcode.READ, nodeid)
    this.#read.fh = fh
    this.#read.offset = offset
    this.#read.size = READ_BYTES
    this.#read.readFlags = FUSE_READ_LOCKOWNER
    return this.#ask(ReadIn.size) ? this.#replyHeader.len - OutHeader.size : 0
  }

  /** The kernel names no process here. */
  release(nodeid: number, fh: number): void {
    this.#begin(Opcode.RELEASE, nodeid)
    this.#header.pid = 0
    this.#release.fh = fh
    this.#ask(ReleaseIn.size)
  }

  /** Forgets `lookups` of a node. */
  forget(nodeid: number, lookups: number): void {
    this.#begin(Opcode.FORGET, nodeid)
    this.#header.pid = 0
    this.#forget.nlookup = lookups
    this.#ask(ForgetIn.size)
  }

  #begin(opcode: number, nodeid: number): void {
    this.#request.fill(0)
    this.#header.opcode = opcode
    this.#header.nodeid = nodeid
    this.#header.pid = this.pid
  }

  /** Returns whether there was a reply, and no error. */
  #ask(bodySize: number): boolean {
    this.#unique = (this.#unique + 2) % 2 ** 32
    this.#header.uniqueLow = this.#unique
    this.#header.len = InHeader.size + bodySize
    this.#device.write(this.#request, this.#header.len)
    this.#serve()
    return this.#takeReplies()
  }

  /** A reply to an earlier request, or what the server tells unasked, may be among them. */
  #takeReplies(): boolean {
    for (;;) {
      const size = this.#device.read(this.#reply)
      if (typeof size === 'string') return false
      if (this.#replyHeader.uniqueLow === this.#unique) return this.#replyHeader.error === 0
    }
  }
}
