import t from 'tap'
import { BytesText } from '../../src/proc/bytes-text.ts'

t.test('a text of words, numbers, lines and bytes', async t => {
  const text = new BytesText()
  text.begin(100)
  text.putText('cpu')
  text.putNumber(0)
  text.putText(' ')
  text.putNumber(2 ** 53 - 1)
  text.putBytes(Buffer.from('<\nabc>'), 1, 5)
  text.endLine()
  text.putLine('btime', -5)
  text.endLine()
  t.equal(text.copy().toString(), 'cpu0 9007199254740991\nabc\nbtime -5\n')
})

t.test('a copy stays what it is, and a longer text gets more room', async t => {
  const text = new BytesText()
  text.begin(10)
  text.putText('first')
  const first = text.copy()
  const long = Buffer.alloc(100_000, 'x')
  text.begin(long.length)
  text.endLine()
  text.putBytes(long, 0, long.length)
  t.equal(first.toString(), 'first')
  t.ok(text.copy().equals(long))
})
