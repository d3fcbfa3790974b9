import t from 'tap'
import { TextCache } from '../../src/filesystem/text-cache.ts'

const MIB = 2 ** 20

function make() {
  const evicted: number[] = []
  return { cache: new TextCache(fh => evicted.push(fh)), evicted }
}

t.test('a text is there until it is deleted or replaced', async t => {
  const { cache, evicted } = make()
  cache.set(1, 7, Buffer.from('one'))
  cache.set(1, 7, Buffer.from('other'))
  t.equal(cache.get(1)?.toString(), 'other')
  cache.delete(1)
  cache.delete(1)
  t.equal(cache.get(1), undefined)
  t.strictSame(evicted, [], 'nothing had to go')
})

t.test('beyond 32 MiB the oldest text of who has most goes', async t => {
  const { cache, evicted } = make()
  cache.set(1, 7, Buffer.alloc(MIB))
  for (let fh = 10; fh < 41; fh++) cache.set(fh, 8, Buffer.alloc(MIB))
  t.strictSame(evicted, [], '32 MiB are there')
  cache.set(2, 7, Buffer.alloc(MIB))
  t.strictSame(evicted, [10])
  t.equal(cache.get(10), undefined)
  t.ok(cache.get(1), 'the neighbour keeps its own')
  cache.set(50, 8, Buffer.alloc(3 * MIB))
  t.strictSame(evicted, [10, 11, 12, 13])
})

t.test('a text that is larger than all is there for its own reader', async t => {
  const { cache, evicted } = make()
  cache.set(1, 7, Buffer.alloc(40 * MIB))
  t.equal(cache.get(1)?.length, 40 * MIB)
  t.strictSame(evicted, [])
  cache.set(2, 8, Buffer.from('small'))
  t.strictSame(evicted, [1])
  t.equal(cache.get(2)?.toString(), 'small')
})

t.test('what was deleted or replaced makes room', async t => {
  const { cache, evicted } = make()
  cache.set(1, 7, Buffer.alloc(30 * MIB))
  cache.set(1, 7, Buffer.alloc(MIB))
  cache.set(2, 8, Buffer.alloc(30 * MIB))
  cache.delete(2)
  cache.set(3, 9, Buffer.alloc(30 * MIB))
  t.strictSame(evicted, [])
})

t.test('a container has 512 texts at most, however small they are', async t => {
  const { cache, evicted } = make()
  cache.set(1, 7, Buffer.from('of a neighbour'))
  for (let fh = 10; fh < 10 + 512; fh++) cache.set(fh, 8, Buffer.from('x'))
  t.strictSame(evicted, [])
  cache.set(3000, 8, Buffer.from('x'))
  t.strictSame(evicted, [10])
  t.ok(cache.get(1))
})
