/** Requests of FUSE: such as the kernel sends, such as none does, and what both have to be answered with. */

import fc from 'fast-check'
import { EIO, ENOSYS } from '../../src/fuse/errno.ts'
import { Opcode } from '../../src/fuse/protocol.ts'
import { REQUEST_SIZE } from '../../src/fuse/request.ts'
import { BOX_SLOT, FIRST_NODE } from '../filesystem/fake-backend.ts'
import { hex } from '../fuse/scripted.ts'
import { ensure } from '../property/runs.ts'
import { mutate, mutations } from './mutations.ts'

/** Sizes of fuse_in_header, of fuse_out_header, of what a server reads into, and of the largest body of a reply. */
const HEADER = 40
const OUT_HEADER = 16
const MOST_REQUEST = REQUEST_SIZE
const MOST_BODY = 128 * 1024
/** Above 4095 the kernel takes an error for none: MAX_ERRNO of linux/err.h. */
const MOST_ERRNO = 4095

const { FORGET, BATCH_FORGET, INTERRUPT, READ, READDIR, READDIRPLUS, OPEN, OPENDIR, RELEASE } =
  Opcode
const CODES: ReadonlySet<number> = new Set(Object.values(Opcode))
const ONE_WAY: ReadonlySet<number> = new Set([FORGET, BATCH_FORGET, INTERRUPT])
/** Opcodes that we have no operation for. */
const REFUSED: ReadonlySet<number> = new Set([
  ...[Opcode.FSYNC, Opcode.GETXATTR, Opcode.LISTXATTR, Opcode.FLUSH],
  ...[Opcode.FSYNCDIR, Opcode.POLL],
])

const u32 = fc.oneof(
  fc.nat(64),
  fc.constantFrom(4095, 4096, 131_072, 131_073, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1),
  fc.nat(0xffff_ffff),
)
/** The low and the high word of numbers of nodes and handles, of offsets and counts. */
const u64 = fc.oneof(
  fc.tuple(fc.nat(1500), fc.constant(0)),
  fc.tuple(u32, fc.constantFrom(0, 1, 0x1f_ffff, 0x20_0000, 0x7fff_ffff, 0xffff_ffff)),
  fc.tuple(u32, u32),
)
/** Of nodes that have the numbers from FIRST_NODE on, in slot 0 and then in the box. The server has not looked them up. */
export const SYS_PATHS = [
  ...[
    '',
    '/cpu0',
    '/cpu0/topology',
    '/cpu0/topology/core_id',
    '/cpu0/node0',
    '/cpu1',
    '/cpu1/busy',
  ],
  ...['/cpu1/thermal_throttle/core_throttle_count', '/cpu0/node0/meminfo', '/kernel_max'],
  ...['/../secret', '/cpu0/../../secret', '//x', '/online', '/cpu9/online'],
].map(path => `sys/devices/system/cpu${path}`)

const slot = fc.constantFrom(0, BOX_SLOT, BOX_SLOT, 6, 2 ** 44, 2 ** 44 + 1)
const nodeid = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(slot, fc.nat(50)).map(([slot, at]) => split(slot * 256 + at)) },
  { weight: 3, arbitrary: fc.nat(2 * SYS_PATHS.length).map(at => split(FIRST_NODE + at)) },
  { weight: 1, arbitrary: u64 },
)
const opcode = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...CODES) },
  { weight: 1, arbitrary: u32 },
)
const NAMES = [
  ...['cpu0', 'cpu1', 'cpu2', 'topology', 'core_id', 'node0', 'thermal_throttle', 'secret', '.'],
  ...['proc', 'sys', 'box', 'meminfo', 'containers', '..', '', '/', 'x'.repeat(5000)],
]
const readIn = fc
  .tuple(u64, u64, u32, fc.constantFrom(2, 2, 0, 3))
  .map(([fh, offset, size, flags]) => words(...fh, ...offset, size, flags, 0, 0, 0, 0))
const body = fc.oneof(
  { weight: 3, arbitrary: readIn },
  { weight: 2, arbitrary: fc.constantFrom(...NAMES).map(named) },
  fc.string({ unit: 'binary' }).map(named),
  fc.array(u64, { maxLength: 6 }).map(pairs => words(...pairs.flat())),
  fc.array(u32, { maxLength: 12 }).map(all => words(...all)),
  fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
)

const made = fc
  .record({ opcode, unique: u64, nodeid, uid: fc.constantFrom(0, 1000), pid: u32, body })
  .map(({ opcode, unique, nodeid, uid, pid, body }) => {
    const header = words(0, opcode, ...unique, ...nodeid, uid, 0, pid, 0)
    return withLength(Buffer.concat([header, body]))
  })
const golden = fc.constantFrom(
  ...['init.request', 'lookup.request', 'read.request', 'batch-forget.request'].map(hex),
)
const broken = fc
  .tuple(fc.oneof(made, golden), mutations)
  .map(([bytes, steps]) => mutate(bytes, steps).subarray(0, MOST_REQUEST))

export const anyRequest: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 6, arbitrary: made },
  { weight: 1, arbitrary: golden },
  { weight: 2, arbitrary: broken },
  { weight: 3, arbitrary: broken.map(withLength) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map(bytes => Buffer.from(bytes)) },
)

/** A request for a handle's end. */
export const release = (fh: Buffer): Buffer =>
  withLength(Buffer.concat([words(0, RELEASE, 9, 0, 1, 0, 0, 0, 9, 0), fh, Buffer.alloc(16)]))

/** Whether a reply is due: there is none without a whole header, in which the request's number is. */
export const isAnswered = (request: Buffer) =>
  request.length >= HEADER && !ONE_WAY.has(request.readUInt32LE(4))

/** What we tell the kernel unasked has a code above 0 where a reply has its error. */
export const isReply = (bytes: Buffer) => bytes.readInt32LE(4) <= 0

/** Throws where a reply is none that the kernel takes. */
export function checkReply(request: Buffer, reply: Buffer): void {
  const about = () => `${request.toString('hex').slice(0, 400)} got ${reply.toString('hex')}`
  ensure(reply.readUInt32LE(0) === reply.length, about)
  ensure(reply.subarray(8, 16).equals(request.subarray(8, 16)), about)
  const error = reply.readInt32LE(4)
  ensure(error >= -MOST_ERRNO && reply.length <= OUT_HEADER + MOST_BODY, about)
  ensure(error === 0 || reply.length === OUT_HEADER, about)
  const code = request.readUInt32LE(4)
  if (request.readUInt32LE(0) !== request.length) ensure(error === -EIO, about)
  else if (!CODES.has(code) || REFUSED.has(code)) ensure(error === -ENOSYS, about)
  else if (error === 0) checkBody(code, request, reply.subarray(OUT_HEADER), about)
}

function checkBody(code: number, request: Buffer, body: Buffer, about: () => string): void {
  if (code !== READ && code !== READDIR && code !== READDIRPLUS) return
  ensure(body.length <= request.readUInt32LE(HEADER + 16), about)
  if (code === READ) return
  // fuse_direntplus has fuse_entry_out before it.
  const head = code === READDIRPLUS ? 128 : 0
  for (let at = 0; at < body.length; ) {
    const name = at + head + 24
    const length = body.readUInt32LE(at + head + 16)
    ensure(name + length <= body.length && length > 0, about)
    at += (head + 24 + length + 7) & ~7
  }
}

/** Numbers of handles that the request may have named, or its reply given. */
export function handlesIn(request: Buffer, reply: Buffer): Buffer[] {
  const places = [HEADER, HEADER + 8].filter(at => request.length >= at + 8)
  const named = places.map(at => request.subarray(at, at + 8))
  const code = request.readUInt32LE(4)
  const isOpened = (code === OPEN || code === OPENDIR) && reply.readInt32LE(4) === 0
  return isOpened ? [...named, reply.subarray(OUT_HEADER, OUT_HEADER + 8)] : named
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => void bytes.writeUInt32LE(value, i * 4))
  return bytes
}

function named(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}

function split(value: number): [number, number] {
  return [value % 2 ** 32, Math.floor(value / 2 ** 32)]
}

/** With the length that the kernel would give. */
function withLength(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length >= 4) copy.writeUInt32LE(copy.length, 0)
  return copy
}
