/** Lines KEY NUMBER, whose order is remembered. */

import fc from 'fast-check'
import t from 'tap'
import { FlatKeyed } from '../../src/cgroup/flat-keyed.ts'
import { parseCount } from '../../src/cgroup/numbers.ts'

const names = new Map([
  ['anon', 0],
  ['file', 1],
])

/** In a buffer that has more behind the text, as that of another file that was read before. */
function parse(keys: FlatKeyed, text: string): { anon: number; file: number } {
  const buffer = Buffer.from(`${text}non 5\nfile 6\n`)
  const counts = Float64Array.of(-1, -1)
  keys.parse({ buffer, length: Buffer.byteLength(text) }, counts)
  const [anon = Number.NaN, file = Number.NaN] = counts
  return { anon, file }
}

t.test('lines that stand elsewhere than in the text before', async t => {
  const keys = new FlatKeyed(names)
  t.same(parse(keys, 'anon 1\nother 2\nfile 3\n'), { anon: 1, file: 3 })
  t.same(parse(keys, 'anon 10\nother 20\nfile 30\n'), { anon: 10, file: 30 }, 'the same order')
  t.same(parse(keys, 'file 4\nanon 5\n'), { anon: 5, file: 4 }, 'another one')
  t.same(parse(keys, 'file_thp 6\nfile 7'), { anon: -1, file: 7 }, 'a longer key')
  t.same(parse(keys, ''), { anon: -1, file: -1 })
  t.same(parse(keys, 'file 1\na'), { anon: -1, file: 1 }, 'a text that is cut off')
  t.same(parse(keys, 'file_thp 6\nfile'), { anon: -1, file: -1 })
})

t.test('lines without a number', async t => {
  const keys = new FlatKeyed(names)
  for (const line of ['anon', 'anon ', 'anon x', 'anon -1', 'anon 1 2', '', ' ', 'anon\n1']) {
    t.same(parse(keys, `${line}\nfile 2\n`), { anon: -1, file: 2 }, JSON.stringify(line))
  }
  t.same(parse(keys, 'anon 9007199254740992\nfile 2\n'), { anon: -1, file: 2 }, '2^53')
  t.same(parse(keys, 'anon 18446744073709551612\nfile 2\n'), { anon: -1, file: 2 })
})

t.test('more lines and longer keys than are remembered', async t => {
  const keys = new FlatKeyed(names)
  const many = Array.from({ length: 1000 }, (_, i) => `key${i} ${i}\n`).join('')
  const long = `${'k'.repeat(100_000)} 1\n`
  for (const text of [`${many}anon 1\nfile 2\n`, `${long}anon 1\n${long}file 2\n`]) {
    for (const _ of [1, 2]) t.same(parse(keys, text), { anon: 1, file: 2 })
  }
})

t.test('a million lines without a blank take no longer than those with one', async t => {
  const startMs = performance.now()
  t.same(parse(new FlatKeyed(names), '\n'.repeat(2 ** 20)), { anon: -1, file: -1 })
  t.ok(performance.now() - startMs < 2000, 'each line is looked through once')
})

t.test('whatever was parsed before, a text says the same', async t => {
  const key = fc.constantFrom('anon', 'file', 'file_thp', 'an', '', 'anön', 'a'.repeat(70))
  const value = fc.oneof(fc.maxSafeNat().map(String), fc.constantFrom('', 'x', '-1', '1 2', ' 7 '))
  const line = fc.oneof(
    fc.tuple(key, value).map(words => words.join(' ')),
    key,
    fc.string({ maxLength: 12 }),
  )
  const text = fc.array(line, { maxLength: 6 }).map(lines => lines.join('\n'))
  const property = fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), texts => {
    const keys = new FlatKeyed(names)
    for (const text of texts) t.same(parse(keys, text), plainly(text), JSON.stringify(texts))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

/** The last line with a key and a count is the one that counts. */
function plainly(text: string): { anon: number; file: number } {
  const found = { anon: -1, file: -1 }
  for (const line of text.split('\n')) {
    const [key, ...rest] = line.split(' ')
    const count = parseCount(rest.join(' '))
    if (rest.length === 0 || count === undefined || count > Number.MAX_SAFE_INTEGER) continue
    if (key === 'anon' || key === 'file') found[key] = count
  }
  return found
}
