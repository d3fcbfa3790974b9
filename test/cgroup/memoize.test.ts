import t from 'tap'
import { memoize, memoizeText } from '../../src/cgroup/memoize.ts'
import { bytesOf } from '../../src/host/directory-file.ts'

t.test('a value is made again for another input', async t => {
  const made: unknown[] = []
  const make = memoize((one: string | undefined, other: number) => {
    made.push([one, other])
    return made.length
  })
  t.equal(make(undefined, 0), 1)
  t.equal(make(undefined, 0), 1)
  t.equal(make('a', 0), 2)
  t.equal(make('a', 1), 3)
  t.equal(make('a', 0), 4, 'only the last ones are known')
  t.equal(made.length, 4)
})

t.test('what fails is tried again', async t => {
  let isBroken = true
  const make = memoize((text: string) => {
    if (isBroken) throw new Error('Cannot do it')
    return text.length
  })
  t.throws(() => make('a'))
  isBroken = false
  t.equal(make('a'), 1)
  isBroken = true
  t.throws(() => make('b'))
  t.equal(make('a'), 1)
})

t.test('a text is parsed again when its bytes are others', async t => {
  let parsed = 0
  const parse = memoizeText(text => {
    parsed++
    return { text }
  })
  const first = parse(bytesOf('0-3\n'))
  t.same(first, { text: '0-3\n' })
  t.equal(parse({ buffer: Buffer.from('0-3\nmore'), length: 4 }), first)
  t.equal(parsed, 1)
  const buffer = Buffer.from('0-1\n')
  t.same(parse({ buffer, length: 4 }), { text: '0-1\n' })
  buffer.write('7')
  t.same(parse({ buffer, length: 4 }), { text: '7-1\n' }, 'in a buffer that is used again')
  t.same(parse({ buffer, length: 3 }), { text: '7-1' })
  t.same(parse(undefined), { text: undefined })
  t.same(parse(bytesOf('')), { text: '' })
  t.equal(parse(bytesOf('')), parse(bytesOf('')))
})
