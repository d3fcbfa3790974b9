/** Reads a container's files by the requests that the kernel would send, so that offsets and sizes are a test's. */

import { operations } from '../../src/filesystem/operations.ts'
import { findChild } from '../../src/filesystem/tree.ts'
import { Opcode } from '../../src/fuse/protocol.ts'
import { Session } from '../../src/fuse/session.ts'
import { FILES } from '../../src/proc/files.ts'
import { BOX_SLOT, type FakeBackend, fakeBackend } from '../filesystem/fake-backend.ts'
import { errorOf, request, ScriptedDevice } from '../fuse/scripted.ts'
import type { Tenant } from './tenant.ts'

const FUSE_READ_LOCKOWNER = 2
const ATTR_SIZE_AT = 16 + 16 + 8

export class Reader {
  readonly #source: FakeBackend
  readonly #nodeid: number

  constructor(tenant: Tenant, path: string) {
    this.#source = {
      ...fakeBackend(),
      offered: new Set(FILES),
      ofSlot: () => tenant.view,
      render: (file, view) => Buffer.from(view === undefined ? '' : file.render(view).toString()),
    }
    let nodeid = BOX_SLOT * 256 + 1
    for (const name of path.split('/')) {
      nodeid = findChild(nodeid, name, this.#source.offered) ?? 0
    }
    this.#nodeid = nodeid
  }

  /** A handle, or the errno of the refusal. */
  open(flags = 0): number {
    const reply = this.#ask(request(Opcode.OPEN, this.#nodeid, words(flags, 0)))
    return errorOf(reply) || Number(reply.readBigUInt64LE(16))
  }

  read(fh: number, offset: number, size: number): string {
    const body = words(fh, 0, offset, 0, size, FUSE_READ_LOCKOWNER, 0, 0, 0, 0)
    const reply = this.#ask(request(Opcode.READ, this.#nodeid, body))
    if (errorOf(reply) !== 0) throw new Error(`Cannot read at ${offset}: ${errorOf(reply)}`)
    return reply.subarray(16).toString('latin1')
  }

  /** What stat(2) says. */
  size(): number {
    const reply = this.#ask(request(Opcode.GETATTR, this.#nodeid, Buffer.alloc(16)))
    return Number(reply.readBigUInt64LE(ATTR_SIZE_AT))
  }

  /** Reads of `size` bytes up to the end. */
  readAll(fh: number, size: number): string {
    let text = ''
    for (;;) {
      const part = this.read(fh, text.length, size)
      if (part === '') return text
      text += part
    }
  }

  /** The last reply: notifications come before it. */
  #ask(bytes: Buffer): Buffer {
    const device = new ScriptedDevice(bytes)
    const session = new Session(device, operations(this.#source), {
      report: error => {
        throw error
      },
    })
    while (session.step() !== 'gone');
    return device.replies.at(-1) ?? Buffer.alloc(0)
  }
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => void bytes.writeUInt32LE(value, i * 4))
  return bytes
}
