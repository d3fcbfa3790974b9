import t from 'tap'
import {
  absoluteOf,
  arrayOf,
  check,
  countOf,
  naturalOf,
  objectOf,
  parseJson,
  parseObject,
  stringOf,
  stringsOf,
  textOf,
  tryParseJson,
  upTo,
} from '../../src/host/json.ts'

/** One of each type. */
const VALUES = [undefined, null, true, 7, -1, 1.5, '', 'x', '7', '/a', '/a\0', [1], { a: 'b' }]

const taken = (read: (value: unknown) => unknown) =>
  VALUES.filter(value => read(value) !== undefined)

t.test('a value of the wanted type is itself, and any other is nothing', async t => {
  t.strictSame(taken(objectOf), [{ a: 'b' }])
  t.strictSame(taken(arrayOf), [[1]])
  t.strictSame(taken(stringOf), ['', 'x', '7', '/a', '/a\0'])
  t.strictSame(taken(textOf), ['x', '7', '/a', '/a\0'])
  t.strictSame(taken(absoluteOf), ['/a'])
  t.strictSame(taken(naturalOf), [7])
  t.strictSame(taken(upTo(6)), [])
  t.strictSame(taken(countOf), [7, '7'])
})

t.test('a count may be decimal text, and is from 1', async t => {
  t.equal(countOf('42'), 42)
  for (const value of [0, '0', '', ' 1', '1e3', 2 ** 53, '9'.repeat(400)]) {
    t.equal(countOf(value), undefined, String(value))
  }
})

t.test('limits are included', async t => {
  t.equal(upTo(7)(7), 7)
  t.equal(upTo(7)(0), 0)
})

t.test('entries that are no strings are left out', async t => {
  t.strictSame(stringsOf({ a: 'b', c: 1, d: '' }), { a: 'b', d: '' })
  for (const value of [undefined, null, ['a'], 'a']) t.strictSame(stringsOf(value), {})
})

t.test('half a text is no JSON', async t => {
  t.equal(tryParseJson('{"a":'), undefined)
  t.strictSame(tryParseJson('[1]'), [1])
})

t.test('an error says what cannot be done, and what was found', async t => {
  const read = (text: string) => () => parseObject('read it', text)
  t.throws(read('{"a":'), new SyntaxError('Cannot read it: it holds no JSON but "{\\"a\\":"'))
  t.throws(read('[1]'), new SyntaxError('Cannot read it: it holds no JSON object but [1]'))
  t.strictSame(read('{"a":1}')(), { a: 1 })
  t.equal(parseJson('read it', '7'), 7)
  const checked = (value: unknown) => () => check('read it', 'a.b', value, naturalOf)
  t.throws(checked('7'), new SyntaxError('Cannot read it: a.b is "7"'))
  t.throws(checked(undefined), new SyntaxError('Cannot read it: a.b is missing'))
  t.equal(checked(7)(), 7)
})

t.test('an error is short, whatever was found', async t => {
  try {
    parseObject('read it', 'x'.repeat(10_000))
    t.fail('that is no JSON')
  } catch (error) {
    t.ok((error as Error).message.length < 150)
  }
})
