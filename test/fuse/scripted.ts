/** A /dev/fuse that says what a test has it say, and keeps what it is told. */

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Device } from '../../src/fuse/device.ts'
import type { Verdict } from '../../src/fuse/errno.ts'
import { InHeader } from '../../src/fuse/protocol.ts'

export class ScriptedDevice implements Device {
  readonly replies: Buffer[] = []
  /** Whether the kernel takes no reply with this as the lower half of `unique`. */
  refused: (unique: number) => boolean = () => false
  readonly #script: (Uint8Array | Verdict)[]

  /** Requests, and where there is none; gone after the last one. */
  constructor(...script: (Uint8Array | Verdict)[]) {
    this.#script = script
  }

  read(buffer: Uint8Array): number | Verdict {
    const request = this.#script.shift() ?? 'gone'
    if (typeof request === 'string') return request
    buffer.set(request)
    return request.length
  }

  write(buffer: Uint8Array, size: number): number | Verdict {
    if (this.refused(new DataView(buffer.buffer).getUint32(8, true))) return 'retry'
    this.replies.push(Buffer.from(buffer.subarray(0, size)))
    return size
  }
}

/** Bytes of an annotated hex file of fixtures/fuse. */
export function hex(name: string): Buffer {
  const path = fileURLToPath(new URL(`../../fixtures/fuse/${name}`, import.meta.url))
  const text = readFileSync(path, 'utf8').replace(/#.*$/gm, '')
  return Buffer.from(text.replace(/\s/g, ''), 'hex')
}

/** A request with the header that the kernel would give it. */
export function request(
  opcode: number,
  nodeid: number,
  body: Uint8Array = Buffer.alloc(0),
): Buffer {
  const bytes = Buffer.alloc(InHeader.size + body.length)
  const header = InHeader.over(new DataView(bytes.buffer, bytes.byteOffset), 0)
  header.len = bytes.length
  header.opcode = opcode
  header.uniqueLow = 42
  header.nodeid = nodeid
  header.pid = 1234
  bytes.set(body, InHeader.size)
  return bytes
}

/** The error of a reply, 0 for none. */
export const errorOf = (reply: Buffer | undefined) => reply?.readInt32LE(4)
