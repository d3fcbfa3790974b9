import t from 'tap'
import { JOURNAL_SIZE, Journal, MOST_HELD, MOST_TAKEN } from '../../src/fuse/journal.ts'
import { Opcode } from '../../src/fuse/protocol.ts'
import type { Request } from '../../src/fuse/request.ts'
import { request } from './scripted.ts'

const ALL = MOST_TAKEN + MOST_HELD

function whole(): { bytes: Uint8Array; journal: Journal } {
  const bytes = new Uint8Array(JOURNAL_SIZE)
  const journal = new Journal(bytes)
  journal.clear()
  return { bytes, journal }
}

/** As the kernel does it. */
function read(journal: Journal, nodeid: number): Request {
  const taken = journal.take()
  taken.buffer.set(request(Opcode.STATFS, nodeid))
  return taken
}

const nodes = (requests: readonly Request[]) => requests.map(({ header }) => header.nodeid).sort()

t.test('what was read and not released is there for the next server', async t => {
  const { bytes, journal } = whole()
  const [first, , third] = [1, 2, 3].map(nodeid => read(journal, nodeid))
  journal.take()
  if (first !== undefined) journal.release(first)
  const next = new Journal(bytes)
  t.ok(next.isWhole)
  const left = next.takeOver(false)
  t.strictSame(nodes(left), [2, 3], 'not what was released, nor what was not read yet')
  t.strictSame(
    left.map(({ size, isRefused }) => [size, isRefused]),
    [
      [40, false],
      [40, false],
    ],
  )
  t.ok(left.some(({ buffer }) => third && Buffer.from(buffer).equals(third.buffer)))
  for (const each of left) next.release(each)
  t.strictSame(new Journal(bytes).takeOver(false), [])
})

t.test('slots are used again, and no two requests share one', async t => {
  const { bytes, journal } = whole()
  for (let i = 0; i < 1000; i++) journal.release(read(journal, i))
  t.equal(read(journal, 1).slot, 0, 'one after the other they take one slot')
  const next = new Journal(bytes)
  const requests = [...next.takeOver(false), ...Array.from({ length: ALL - 1 }, () => next.take())]
  t.equal(new Set(requests.map(({ slot }) => slot)).size, ALL)
  t.equal(new Set(requests.map(({ buffer }) => buffer.byteOffset)).size, ALL)
  t.throws(() => next.take(), /Cannot read a request: 272 wait for answers/)
})

t.test(
  'a request that servers fail at is refused, and sooner than one that others kill',
  async t => {
    const deaths = (hasFailed: boolean) => {
      const { bytes, journal } = whole()
      read(journal, 1)
      journal.begin(read(journal, 2))
      for (let count = 1; ; count++) {
        const next = new Journal(bytes)
        const refused = next.takeOver(hasFailed).filter(({ isRefused }) => isRefused)
        if (refused.length > 0) return [count, nodes(refused)]
        for (const each of next.takeOver(hasFailed)) if (each.header.nodeid === 2) next.begin(each)
      }
    }
    t.strictSame(deaths(true), [2, [2]])
    t.strictSame(deaths(false), [40, [2]])
  },
)

t.test('what speaks against a request is forgotten with it', async t => {
  const { bytes, journal } = whole()
  journal.begin(read(journal, 1))
  const next = new Journal(bytes)
  for (const each of next.takeOver(true)) next.release(each)
  next.begin(read(next, 2))
  const [left] = new Journal(bytes).takeOver(true)
  t.equal(left?.header.nodeid, 2)
  t.equal(left?.isRefused, false)
})

t.test('nothing speaks against a request that waits', async t => {
  const { bytes, journal } = whole()
  journal.begin(read(journal, 1))
  journal.hold()
  const refused = Array.from({ length: 100 }, () => new Journal(bytes).takeOver(true)[0]?.isRefused)
  t.strictSame(new Set(refused), new Set([false]))
})

t.test('memory that is new, and memory that is damaged', async t => {
  const bytes = new Uint8Array(JOURNAL_SIZE)
  const journal = new Journal(bytes)
  t.strictSame([journal.isNew, journal.isWhole], [true, false])
  journal.clear()
  t.strictSame([journal.isNew, journal.isWhole], [false, true])
  bytes[10] = 0
  t.strictSame([journal.isNew, journal.isWhole], [false, false])
  journal.clear()
  bytes.fill(255, 64, 72)
  t.equal(journal.isWhole, false, 'it has not so many slots')
  read(whole().journal, 1)
  journal.clear()
  t.strictSame(journal.takeOver(false), [])
})

t.test('a slot whose length cannot be is one request of a whole slot', async t => {
  const { bytes, journal } = whole()
  read(journal, 1).header.len = 0xffff_ffff
  const [left] = new Journal(bytes).takeOver(false)
  t.equal(left?.size, 8192)
  t.throws(() => left?.check(), /8192 bytes with a length of 4294967295/)
})
