import t from 'tap'
import { operations } from '../../src/filesystem/operations.ts'
import { EACCES, EINVAL, EISDIR, ENOENT, ENOTDIR, ESTALE } from '../../src/fuse/errno.ts'
import { FUSE_NOTIFY_INVAL_INODE, Opcode } from '../../src/fuse/protocol.ts'
import { Session } from '../../src/fuse/session.ts'
import { errorOf, request, ScriptedDevice } from '../fuse/scripted.ts'
import { BOX_SLOT, type FakeBackend, fakeBackend, HOST_PID } from './fake-backend.ts'

const MEMINFO = 35
const BOX = BOX_SLOT * 256
const LOCKOWNER = 2

/** The replies to `requests`, and to notifications among them. */
function ask(backend: FakeBackend, ...requests: Buffer[]): Buffer[] {
  const device = new ScriptedDevice(...requests)
  const session = new Session(device, operations(backend), {
    report: error => {
      throw error
    },
  })
  while (session.step() !== 'gone');
  return device.replies
}

const name = (text: string) => Buffer.from(`${text}\0`)
const words = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, i) => void bytes.writeUInt32LE(value, i * 4))
  return bytes
}
const as = (bytes: Buffer, pid: number, uid = 0) => {
  bytes.writeUInt32LE(uid, 24)
  bytes.writeUInt32LE(pid, 32)
  return bytes
}
const lookup = (parent: number, text: string) => request(Opcode.LOOKUP, parent, name(text))
const open = (nodeid: number, flags = 0) => request(Opcode.OPEN, nodeid, words(flags, 0))
const read = (nodeid: number, fh: number, offset: number, size = 4096, flags = LOCKOWNER) =>
  request(Opcode.READ, nodeid, words(fh, 0, offset, 0, size, flags, 0, 0, 0, 0))
const nodeidOf = (reply: Buffer | undefined) => Number(reply?.readBigUInt64LE(16))
const textOf = (reply: Buffer | undefined) => reply?.subarray(16).toString()
const names = (reply: Buffer | undefined) =>
  [...(textOf(reply) ?? '').matchAll(/[a-z]{2,}/g)].map(([word]) => word)

t.test('every file is found in the root and in a container, under fixed numbers', async t => {
  const backend = fakeBackend()
  const [containers, box, proc, meminfo] = ask(
    backend,
    lookup(1, 'containers'),
    lookup(7, 'box'),
    lookup(BOX + 1, 'proc'),
    lookup(BOX + 2, 'meminfo'),
  ).map(nodeidOf)
  t.strictSame([containers, box, proc, meminfo], [7, BOX + 1, BOX + 2, BOX + MEMINFO])
  t.equal(backend.held.get(BOX_SLOT), 3, 'the kernel holds three nodes of the container')
  ask(backend, request(Opcode.FORGET, BOX + 2, words(1, 0)))
  t.equal(backend.held.get(BOX_SLOT), 2)
})

t.test('names that are not there', async t => {
  const backend = fakeBackend()
  t.equal(errorOf(ask(backend, lookup(1, 'nothing'))[0]), -ENOENT)
  t.equal(errorOf(ask(backend, lookup(7, 'other'))[0]), -ENOENT, 'no such container')
  t.equal(errorOf(ask(backend, lookup(BOX + 1, 'containers'))[0]), -ENOENT, 'only in the root')
  t.equal(errorOf(ask(backend, lookup(MEMINFO, 'x'))[0]), -ENOTDIR)
  t.equal(errorOf(ask(backend, lookup(99, 'x'))[0]), -ESTALE)
  t.equal(errorOf(ask(backend, request(Opcode.GETATTR, BOX + 7, Buffer.alloc(16)))[0]), -ESTALE)
})

t.test('containers are shown to root in the host pid namespace only', async t => {
  const backend = fakeBackend()
  for (const caller of [{ pid: 77 }, { pid: 0 }, { pid: HOST_PID, uid: 1000 }]) {
    const [found, listed] = ask(
      backend,
      as(lookup(7, 'box'), caller.pid, caller.uid),
      as(request(Opcode.OPENDIR, 7, words(0, 0)), caller.pid, caller.uid),
    )
    t.equal(errorOf(found), -ENOENT)
    t.equal(errorOf(listed), -EACCES)
  }
  t.equal(nodeidOf(ask(backend, as(lookup(1, 'proc'), 77))[0]), 2, 'the rest is for everybody')
})

t.test('a file opens for reading only, and a directory not as a file', async t => {
  const backend = fakeBackend()
  t.equal(errorOf(ask(backend, open(MEMINFO))[0]), 0)
  t.equal(errorOf(ask(backend, open(MEMINFO, 1))[0]), -EACCES)
  t.equal(errorOf(ask(backend, open(MEMINFO, 2))[0]), -EACCES)
  t.equal(errorOf(ask(backend, open(2))[0]), -EISDIR)
  t.equal(errorOf(ask(backend, open(99))[0]), -ESTALE)
})

t.test('one pass of reads sees one moment, a read at 0 begins a new one', async t => {
  const backend = fakeBackend()
  const fh = nodeidOf(ask(backend, open(MEMINFO))[0])
  const readText = (offset: number, size?: number) =>
    textOf(ask(backend, read(MEMINFO, fh, offset, size))[0])
  t.equal(readText(0, 2), 'te')
  backend.text = 'another\n'
  t.equal(readText(2, 2), 'xt')
  t.equal(readText(4), '\n')
  t.equal(readText(5), '', 'at the end')
  t.equal(readText(500), '', 'and far beyond')
  t.equal(readText(0), 'another\n')
  backend.text = 'third\n'
  t.equal(readText(2), 'other\n')
})

t.test('a handle of an earlier server goes on, also from the middle', async t => {
  const backend = fakeBackend()
  t.equal(textOf(ask(backend, read(MEMINFO, 999, 2))[0]), 'xt\n')
  t.equal(textOf(ask(backend, read(BOX + MEMINFO, 999, 0))[0]), 'text\n', 'even of another node')
})

t.test('a read that would fill the page cache is refused', async t => {
  t.equal(errorOf(ask(fakeBackend(), read(MEMINFO, 1, 0, 4096, 0))[0]), -EINVAL)
})

t.test('stat shows size 0, and the kernel does not keep it', async t => {
  const [notification, reply] = ask(
    fakeBackend(),
    request(Opcode.GETATTR, MEMINFO, Buffer.alloc(16)),
  )
  t.equal(errorOf(notification), FUSE_NOTIFY_INVAL_INODE)
  t.equal(notification?.readBigUInt64LE(8), 0n, 'a notification answers nothing')
  t.equal(nodeidOf(notification), MEMINFO)
  t.equal(notification?.readBigInt64LE(24), -1n, 'attributes only')
  t.equal(reply?.readBigUInt64LE(40), 0n)
  t.equal((reply?.readUInt32LE(92) ?? 0).toString(8), '100444')
})

t.test('fstat shows the size of what is read next, for a moment', async t => {
  const backend = fakeBackend()
  const fh = nodeidOf(ask(backend, open(MEMINFO))[0])
  const fstat = () => ask(backend, request(Opcode.GETATTR, MEMINFO, words(1, 0, fh, 0)))[0]
  t.equal(fstat()?.readBigUInt64LE(40), 5n)
  backend.text = 'longer text\n'
  t.equal(textOf(ask(backend, read(MEMINFO, fh, 0))[0]), 'text\n')
  t.equal(textOf(ask(backend, read(MEMINFO, fh, 0))[0]), 'longer text\n')
  fstat()
  backend.text = 'later\n'
  backend.clock.advance(1)
  t.equal(textOf(ask(backend, read(MEMINFO, fh, 0))[0]), 'later\n')
})

t.test('a released handle is gone', async t => {
  const backend = fakeBackend()
  const fh = nodeidOf(ask(backend, open(MEMINFO))[0])
  t.equal(backend.handles.size, 1)
  ask(backend, request(Opcode.RELEASE, MEMINFO, words(fh, 0, 0, 0, 0, 0)))
  t.equal(backend.handles.size, 0)
})

t.test('directories list what can be looked up, in as many steps as it takes', async t => {
  const backend = fakeBackend()
  const list = (nodeid: number, offset: number, size: number) =>
    ask(backend, request(Opcode.READDIR, nodeid, words(7, 0, offset, 0, size, 0, 0, 0, 0, 0)))[0]
  t.strictSame(names(list(1, 0, 4096)), ['containers', 'metrics', 'proc', 'sys'])
  t.strictSame(names(list(1, 1, 40)), ['metrics'], 'no entry is cut')
  t.strictSame(names(list(1, 4, 4096)), [])
  t.strictSame(names(list(BOX + 1, 0, 4096)), ['proc', 'sys'])
  t.strictSame(names(list(7, 0, 4096)), ['box'], 'a damaged registration is left out')
})

t.test('READDIRPLUS gives attributes and is counted as lookups', async t => {
  const backend = fakeBackend()
  const body = words(8, 0, 0, 0, 4096, 0, 0, 0, 0, 0)
  const [reply] = ask(backend, request(Opcode.READDIRPLUS, BOX + 1, body))
  t.equal(nodeidOf(reply), BOX + 2)
  t.equal((reply?.readUInt32LE(16 + 40 + 60) ?? 0).toString(8), '40555')
  t.equal(backend.held.get(BOX_SLOT), 2)
})

t.test('access says what open would', async t => {
  const access = (nodeid: number, mask: number) =>
    errorOf(ask(fakeBackend(), request(Opcode.ACCESS, nodeid, words(mask, 0)))[0])
  t.equal(access(MEMINFO, 4), 0)
  t.equal(access(MEMINFO, 2), -EACCES)
  t.equal(access(MEMINFO, 1), -EACCES)
  t.equal(access(2, 1), 0)
  t.equal(access(2, 3), -EACCES)
})

t.test('statfs answers, so that a mount can be seen to live', async t => {
  const [reply] = ask(fakeBackend(), request(Opcode.STATFS, 1))
  t.equal(errorOf(reply), 0)
  t.equal(reply?.length, 96)
})

t.test('requests are told apart from those that come after them', async t => {
  const said: string[] = []
  const backend = fakeBackend()
  const device = new ScriptedDevice(
    ...[1, 2, 3].map(fh => read(MEMINFO, fh, 0)),
    'retry',
    read(MEMINFO, 4, 0),
  )
  const session = new Session(device, operations(backend), {
    report: error => t.error(error),
    taken: () => said.push(`after ${device.replies.length}`),
  })
  while (session.step() !== 'gone');
  t.strictSame(said, ['after 0', 'after 1', 'after 3'])
  t.strictSame(device.replies.map(textOf), Array(4).fill('text\n'))
})

t.test('a text is made ready only for a reader that is in a loop', async t => {
  const backend = fakeBackend()
  const works: (() => void)[] = []
  backend.prepare = work => void works.push(work)
  backend.isInLoop = pid => pid === 77
  ask(backend, open(MEMINFO))
  t.equal(works.length, 0)
  const fh = nodeidOf(ask(backend, as(open(MEMINFO), 77))[0])
  t.equal(works.length, 1)
  works[0]?.()
  backend.text = 'later\n'
  t.equal(textOf(ask(backend, read(MEMINFO, fh, 0))[0]), 'text\n')
})
