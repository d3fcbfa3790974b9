import fc from 'fast-check'
import t from 'tap'
import { operations } from '../../src/filesystem/operations.ts'
import { SLOT_SIZE } from '../../src/filesystem/tree.ts'
import { EIO, ENFILE, ENOSYS, EROFS } from '../../src/fuse/errno.ts'
import { JOURNAL_SIZE, Journal } from '../../src/fuse/journal.ts'
import { FUSE_READ_LOCKOWNER, Opcode } from '../../src/fuse/protocol.ts'
import { type Operation, Session } from '../../src/fuse/session.ts'
import { BOX_SLOT, fakeBackend } from '../filesystem/fake-backend.ts'
import { size } from '../kit/size.ts'
import { errorOf, hex, request, ScriptedDevice } from './scripted.ts'

/** Places in the tree. */
const DISKSTATS = 33
const MEMINFO = 35
const PARTITIONS = 36

/** Serves all of `requests`; the replies, and what was reported. */
function serve(...requests: Uint8Array[]): { replies: Buffer[]; reported: Error[] } {
  const device = new ScriptedDevice(...requests)
  const reported: Error[] = []
  const session = new Session(device, operations(fakeBackend()), {
    report: error => reported.push(error as Error),
  })
  while (session.step() !== 'gone');
  return { replies: device.replies, reported }
}

t.test('INIT agrees on a version and on the options that both know', async t => {
  const { replies } = serve(hex('init.request'))
  t.strictSame(replies, [hex('init.reply')])
})

t.test('a kernel with a newer major version is told ours and asks again', async t => {
  const newer = hex('init.request')
  newer.writeUInt32LE(8, 40)
  const [reply] = serve(newer).replies
  t.equal(reply?.readUInt32LE(16), 7)
  t.equal(errorOf(reply), 0)
})

t.test('a kernel without extended flags sends a shorter INIT', async t => {
  const older = hex('init.request').subarray(0, 56)
  older.writeUInt32LE(56, 0)
  older.writeUInt32LE(31, 44)
  const [reply] = serve(older).replies
  t.equal(reply?.readUInt32LE(20), 31, 'its own minor version')
  t.equal(reply?.readUInt32LE(48), 0, 'no flags2')
})

t.test('LOOKUP gives a node with its attributes', async t => {
  t.strictSame(serve(hex('lookup.request')).replies, [hex('lookup.reply')])
})

t.test('a request sent again is answered under the same number', async t => {
  t.strictSame(serve(hex('read.request')).replies, [hex('read.reply')])
})

t.test('BATCH_FORGET and INTERRUPT get no reply', async t => {
  const { replies, reported } = serve(
    hex('batch-forget.request'),
    request(Opcode.INTERRUPT, 0, Buffer.alloc(8)),
  )
  t.strictSame([replies, reported], [[], []])
})

/** A server that has no descriptor left for a LOOKUP until `spare` were given up. */
function lookUpShort(spare: number) {
  const device = new ScriptedDevice(hex('lookup.request'))
  const all = operations(fakeBackend())
  const lookup = all.get(Opcode.LOOKUP)
  let left = spare
  let isShort = true
  const reported: unknown[] = []
  const run: Operation['run'] = (asked, reply) => {
    if (isShort) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    return lookup?.run(asked, reply) ?? 0
  }
  const short = new Map(all).set(Opcode.LOOKUP, { name: 'LOOKUP', run })
  const makeRoom = () => {
    isShort = left-- <= 0
    return !isShort
  }
  const session = new Session(device, short, { report: each => reported.push(each), makeRoom })
  while (session.step() !== 'gone');
  return { replies: device.replies, reported }
}

t.test('where descriptors can be given up, a request is tried again', async t => {
  const { replies, reported } = lookUpShort(1)
  t.strictSame(replies, [hex('lookup.reply')])
  t.strictSame(reported, [])
})

t.test('where there are none, the caller is told so', async t => {
  const { replies, reported } = lookUpShort(0)
  t.equal(errorOf(replies[0]), -ENFILE)
  t.equal(reported.length, 1)
})

t.test('a reply is told of when the kernel has taken it', async t => {
  class Refusing extends ScriptedDevice {
    isRefusing = true

    override write(buffer: Uint8Array, size: number) {
      t.equal(replied, 0, 'not before')
      if (this.isRefusing) throw new Error('Cannot write')
      return super.write(buffer, size)
    }
  }
  let replied = 0
  const init = hex('init.request')
  const forget = hex('batch-forget.request')
  const device = new Refusing(init, 'retry', forget, 'retry', hex('lookup.request'), 'retry')
  const session = new Session(device, operations(fakeBackend()), {
    report: () => {},
    replied: () => {
      replied++
    },
  })
  const serveNext = () => {
    while (session.step() !== 'retry');
  }
  serveNext()
  t.equal(replied, 0, 'it was refused')
  serveNext()
  t.equal(replied, 0, 'a request that wants none has none')
  device.isRefusing = false
  serveNext()
  t.equal(replied, 1)
})

t.test('what we do not have is ENOSYS, what would change something EROFS', async t => {
  for (const opcode of [Opcode.FLUSH, Opcode.POLL, Opcode.GETXATTR, Opcode.LISTXATTR, 9999]) {
    t.equal(errorOf(serve(request(opcode, 35)).replies[0]), -ENOSYS, `opcode ${opcode}`)
  }
  for (const opcode of [
    Opcode.SETATTR,
    Opcode.MKDIR,
    Opcode.UNLINK,
    Opcode.RENAME2,
    Opcode.WRITE,
  ]) {
    t.equal(errorOf(serve(request(opcode, 35)).replies[0]), -EROFS, `opcode ${opcode}`)
  }
})

t.test('a truncated request is answered with EIO and the loop goes on', async t => {
  const truncated = hex('read.request').subarray(0, 60)
  truncated.writeUInt32LE(60, 0)
  const { replies, reported } = serve(truncated, hex('lookup.request'))
  t.equal(errorOf(replies[0]), -EIO)
  t.strictSame(replies[1], hex('lookup.reply'))
  t.match(reported[0]?.message, 'Cannot answer READ of node 35')
  t.match(reported[0]?.cause, { message: /60 bytes, not 80/ })
})

t.test('a length that is not the size read is refused', async t => {
  const wrong = hex('lookup.request')
  wrong.writeUInt32LE(4000, 0)
  const { replies, reported } = serve(wrong)
  t.equal(errorOf(replies[0]), -EIO)
  t.equal(reported.length, 1)
})

t.test('a FORGET whose length is not the size read gets no reply either', async t => {
  const wrong = hex('batch-forget.request')
  wrong.writeUInt32LE(4000, 0)
  const { replies, reported } = serve(hex('lookup.request'), wrong, wrong.subarray(0, 39))
  t.strictSame(replies, [hex('lookup.reply')])
  t.match(reported[0]?.message, 'Cannot answer BATCH_FORGET')
  t.match(reported[1]?.message, 'Cannot answer a request', 'the opcode is what was left there')
})

t.test('less than a header cannot be answered at all', async t => {
  const { replies, reported } = serve(hex('lookup.request').subarray(0, 39))
  t.strictSame(replies, [])
  t.equal(reported.length, 1)
})

t.test('a name without its NUL is refused', async t => {
  const { replies } = serve(request(Opcode.LOOKUP, 1, Buffer.from('proc')))
  t.equal(errorOf(replies[0]), -EIO)
})

t.test('a BATCH_FORGET that counts more than it holds is reported, without a reply', async t => {
  const body = Buffer.alloc(8)
  body.writeUInt32LE(0xffffffff)
  const { replies, reported } = serve(request(Opcode.BATCH_FORGET, 0, body))
  t.strictSame(replies, [])
  t.equal(reported.length, 1)
})

t.test('no bytes end the loop, and each reply says its own length', async () => {
  const opcode = fc.oneof(fc.constantFrom(...Object.values(Opcode)), fc.nat(70))
  const nodeid = fc.oneof(fc.nat(300), fc.nat())
  fc.assert(
    fc.property(opcode, nodeid, fc.uint8Array({ maxLength: 200 }), (code, node, body) => {
      const { replies } = serve(request(code, node, body), body, hex('lookup.request'))
      const last = replies.at(-1)
      return last?.equals(hex('lookup.reply')) && replies.every(r => r.readUInt32LE(0) === r.length)
    }),
    { numRuns: size({ short: 500, long: 3000 }) },
  )
})

t.test('a request that is to be answered later is run again, and others do not wait', async t => {
  const backend = fakeBackend()
  let isAwaited = true
  backend.isAwaited = () => isAwaited
  const open = (place: number) =>
    request(Opcode.OPEN, BOX_SLOT * SLOT_SIZE + place, Buffer.alloc(8))
  const device = new ScriptedDevice(open(DISKSTATS), open(MEMINFO))
  const session = new Session(device, operations(backend), { report: error => t.error(error) })
  while (session.step() !== 'gone');
  t.equal(device.replies.length, 1, 'meminfo is not made of devices')
  t.ok(session.isHolding)
  session.retry()
  t.equal(device.replies.length, 1)
  isAwaited = false
  session.retry()
  t.notOk(session.isHolding)
  t.strictSame(device.replies.map(errorOf), [0, 0])
})

t.test('each request says who has sent it', async t => {
  const of = (pid: number) => {
    const bytes = request(Opcode.STATFS, 1)
    bytes.writeUInt32LE(pid, 32)
    return bytes
  }
  const device = new ScriptedDevice(of(7), of(8), of(0))
  const session = new Session(device, operations(fakeBackend()), {
    report: error => t.error(error),
  })
  t.strictSame([session.step(), session.readerAt(0)], [1, 7])
  t.strictSame([session.step(), session.readerAt(0), session.readerAt(1)], [2, 8, 0])
})

t.test('a reader that keeps its descriptor waits where its text begins', async t => {
  const backend = fakeBackend()
  backend.isAwaited = () => true
  const read = (offset: bigint) => {
    const body = Buffer.alloc(40)
    body.writeBigUInt64LE(offset, 8)
    body.writeUInt32LE(4096, 16)
    body.writeUInt32LE(FUSE_READ_LOCKOWNER, 20)
    return request(Opcode.READ, BOX_SLOT * SLOT_SIZE + DISKSTATS, body)
  }
  const device = new ScriptedDevice(read(0n), read(5n))
  const session = new Session(device, operations(backend), { report: error => t.error(error) })
  while (session.step() !== 'gone');
  t.equal(device.replies.length, 1)
  t.ok(session.isHolding)
})

t.test('so many wait and no more', async t => {
  const backend = fakeBackend()
  backend.isAwaited = () => true
  const open = request(Opcode.OPEN, BOX_SLOT * SLOT_SIZE + PARTITIONS, Buffer.alloc(8))
  const device = new ScriptedDevice(...Array.from({ length: 300 }, () => open))
  const session = new Session(device, operations(backend), { report: error => t.error(error) })
  while (session.step() !== 'gone');
  t.equal(device.replies.length, 300 - 256)
})

/** Has a server read `requests` and die, and the next one answer them. `answered`: those that the kernel does not know. */
function takeOver(requests: readonly Buffer[], answered: readonly number[] = []) {
  const bytes = new Uint8Array(JOURNAL_SIZE)
  const journal = new Journal(bytes)
  journal.clear()
  for (const each of requests) journal.take().buffer.set(each)
  const device = new ScriptedDevice()
  device.refused = unique => answered.includes(unique)
  const reported: Error[] = []
  const report = (error: unknown) => reported.push(error as Error)
  const session = new Session(device, operations(fakeBackend()), { report }, new Journal(bytes))
  session.takeOver(false)
  const probes = device.replies.splice(0)
  const taken: unknown[] = []
  do taken.push(session.step())
  while (taken.at(-1) !== 'gone')
  return {
    probes,
    replies: device.replies,
    reported,
    taken,
    left: new Journal(bytes).takeOver(false),
  }
}

t.test('what an earlier server has read is answered first', async t => {
  const { replies, taken, left } = takeOver([hex('lookup.request'), hex('read.request')])
  t.equal(taken.length, 2, 'both together, and then the connection ended')
  t.strictSame(
    replies.map(reply => reply.readUInt32LE(8)).sort(),
    [hex('lookup.reply'), hex('read.reply')].map(reply => reply.readUInt32LE(8)).sort(),
  )
  t.strictSame(left, [])
})

t.test('what it has answered is not done again', async t => {
  const { probes, replies, left } = takeOver(
    [hex('init.request')],
    [hex('init.request').readUInt32LE(8) + 1],
  )
  t.equal(probes.length, 0)
  t.strictSame([replies, left], [[], []])
})

t.test('the kernel is asked whether a request waits, by an answer to its interruption', async t => {
  const { probes, replies } = takeOver([hex('read.request')])
  t.strictSame(
    probes.map(probe => [...new Uint32Array(new Uint8Array(probe).buffer)]),
    [[16, 0, hex('read.request').readUInt32LE(8) + 1, hex('read.request').readUInt32LE(12)]],
  )
  t.strictSame(replies, [hex('read.reply')])
})

t.test('what needs no answer is done, and asked nothing about', async t => {
  const { probes, replies, reported, left } = takeOver([hex('batch-forget.request')])
  t.strictSame([probes, replies, reported, left], [[], [], [], []])
})

t.test('what an earlier server cannot have read is reported, and left', async t => {
  const damaged = hex('lookup.request')
  damaged.writeUInt32LE(7, 0)
  const { replies, reported, left } = takeOver([damaged])
  t.match(reported[0]?.cause, { message: /7 bytes with no whole header/ })
  t.strictSame([replies, left], [[], []])
})

t.test('a request that servers have died of is answered with an error', async t => {
  const bytes = new Uint8Array(JOURNAL_SIZE)
  const first = new Journal(bytes)
  first.clear()
  const taken = first.take()
  taken.buffer.set(hex('lookup.request'))
  first.begin(taken)
  const second = new Journal(bytes)
  for (const each of second.takeOver(true)) second.begin(each)
  const device = new ScriptedDevice()
  const reported: Error[] = []
  const report = (error: unknown) => reported.push(error as Error)
  const third = new Session(device, operations(fakeBackend()), { report }, new Journal(bytes))
  third.takeOver(true)
  t.equal(third.step(), 1)
  t.equal(errorOf(device.replies.at(-1)), -EIO)
  t.match(reported[0]?.message, 'Cannot answer LOOKUP of node')
  t.match(reported[0]?.cause, { message: 'Cannot try again: servers have died of it' })
})

t.test('a request that waits is in the journal, and is answered at the end', async t => {
  const backend = fakeBackend()
  backend.isAwaited = () => true
  const open = request(Opcode.OPEN, BOX_SLOT * SLOT_SIZE + PARTITIONS, Buffer.alloc(8))
  const bytes = new Uint8Array(JOURNAL_SIZE)
  const journal = new Journal(bytes)
  journal.clear()
  const device = new ScriptedDevice(open)
  const report = (error: unknown) => t.error(error)
  const session = new Session(device, operations(backend), { report }, journal)
  while (session.step() !== 'gone');
  t.equal(new Journal(bytes).takeOver(false).length, 1)
  session.finish()
  t.notOk(session.isHolding)
  t.strictSame(device.replies.map(errorOf), [0])
  t.strictSame(new Journal(bytes).takeOver(false), [])
})

t.test('the kernel is asked to send again, and may not be able to', async t => {
  const device = new ScriptedDevice()
  const session = new Session(device, operations(fakeBackend()), { report: e => t.error(e) })
  t.ok(session.askAgain())
  t.strictSame(
    device.replies.map(reply => [...new Uint32Array(new Uint8Array(reply).buffer)]),
    [[16, 7, 0, 0]],
  )
  device.refused = () => true
  t.notOk(session.askAgain())
})
