import t from 'tap'
import { struct } from '../../src/fuse/struct.ts'

const Example = struct({ small: 'u16', gap: 'u16', signed: 'i32', large: 'u64' })

t.test('fields follow each other without gaps', async t => {
  t.equal(Example.size, 16)
  const view = new DataView(new ArrayBuffer(20))
  const example = Example.over(view, 4)
  example.small = 0x0201
  example.signed = -5
  example.large = 2 ** 52 + 7
  t.equal(view.getUint8(4), 1)
  t.equal(view.getUint8(5), 2)
  t.equal(view.getInt32(8, true), -5)
  t.equal(view.getUint32(12, true), 7)
  t.equal(example.small, 0x0201)
  t.equal(example.signed, -5)
  t.equal(example.large, 2 ** 52 + 7)
})

t.test('a struct moves along its buffer', async t => {
  const view = new DataView(new ArrayBuffer(32))
  const example = Example.over(view, 0)
  example.moveTo(16)
  example.small = 9
  t.equal(view.getUint16(16, true), 9)
  t.equal(view.getUint16(0, true), 0)
})

t.test('what lies outside of the buffer throws', async t => {
  const example = Example.over(new DataView(new ArrayBuffer(8)), 0)
  t.throws(() => example.large, RangeError)
})

t.test('structs of one kind lie over bytes of their own and share their accessors', async t => {
  const view = new DataView(new ArrayBuffer(32))
  const [first, second] = [Example.over(view, 0), Example.over(view, 16)]
  first.signed = 1
  second.signed = -2
  t.strictSame([first.signed, second.signed], [1, -2])
  t.strictSame(Object.keys(first), [], 'a struct itself holds no function')
  t.equal(Object.getPrototypeOf(first), Object.getPrototypeOf(second))
})
