import t from 'tap'
import { Lines } from '../../src/worker/lines.ts'

t.test('lines come whole, however they were cut', async t => {
  const text = 'one\n\nthree, é\nfour'
  const bytes = Buffer.from(text)
  for (let size = 1; size <= bytes.length; size++) {
    const lines = new Lines(100)
    const found: string[] = []
    for (let at = 0; at < bytes.length; at += size) {
      found.push(...lines.add(bytes.subarray(at, at + size)))
    }
    t.strictSame(found, ['one', '', 'three, é'], `${size} bytes at a time`)
    t.strictSame(lines.add(Buffer.from('\n')), ['four'])
  }
})

t.test('a buffer that is used again changes no line', async t => {
  const lines = new Lines(100)
  const buffer = Buffer.from('abc')
  lines.add(buffer)
  buffer.fill('x')
  t.strictSame(lines.add(Buffer.from('d\n')), ['abcd'])
})

t.test('a line that never ends is refused', async t => {
  const lines = new Lines(10)
  lines.add(Buffer.from('12345678'))
  t.throws(() => lines.add(Buffer.from('901')), RangeError)
})
