/** Damages what is valid, as data that fast-check can make smaller: bytes, and values of JSON. */

import fc from 'fast-check'

/** No text becomes longer than this: what reads files has limits of its own, with tests of their own. */
const MOST_BYTES = 512 * 1024

/** Numbers at which something ends: of JavaScript, of C's types, of pids, of sizes. */
export const NUMBERS: readonly string[] = [
  ...['0', '-0', '-1', '1', '00', '1e9', '1e400', '1.5', '0x10', 'NaN', 'Infinity', '-Infinity'],
  ...['127', '128', '255', '256', '32767', '65535', '65536', '4194304', '4194305'],
  ...['2147483647', '2147483648', '4294967295', '4294967296', '17592186044416'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '9223372036854775807'],
  ...['-9223372036854775808', '18446744073709551615', '99999999999999999999', '9'.repeat(400)],
]

/** Bytes at which parsers stumble: no UTF-8, ends of lines and words, escapes of terminals and of JSON. */
const TOKENS: readonly Buffer[] = [
  ...['\0', '\n', '\r\n', ' ', '\t', ':', '=', ',', '-', '/', '//', '..', '../', ' - ', '\\040'],
  ...['\\134', '"', "'", '\\u0000', '\u2028', '\u202e', '\ufeff', '\x1b[2J', '__proto__', '%s'],
  ...['constructor', 'max', '{', '}', '[', ']', '()', ')', '* * *', 'a'.repeat(300)],
].map(text => Buffer.from(text))
const NO_UTF8: readonly Buffer[] = ['ff', 'c0af', 'eda080', 'f4908080', 'e282', '80'].map(hex =>
  Buffer.from(hex, 'hex'),
)

/** Places are parts of 2^16 of the length, so that one mutation fits any text. */
const place = fc.nat(0xffff)
const span = fc.oneof(fc.nat(8), fc.nat(300), fc.nat(0xffff))
const some = fc.oneof(
  fc.constantFrom(...TOKENS, ...NO_UTF8),
  fc.constantFrom(...NUMBERS).map(text => Buffer.from(text)),
  fc.uint8Array({ minLength: 1, maxLength: 12 }).map(bytes => Buffer.from(bytes)),
)

const mutation = fc.oneof(
  fc.record({ how: fc.constant('flip' as const), at: place, bit: fc.nat(7) }),
  fc.record({ how: fc.constant('insert' as const), at: place, bytes: some }),
  fc.record({ how: fc.constant('replace' as const), at: place, length: fc.nat(16), bytes: some }),
  fc.record({ how: fc.constant('delete' as const), at: place, length: span }),
  fc.record({ how: fc.constant('cut' as const), at: place }),
  fc.record({
    how: fc.constant('repeat' as const),
    at: place,
    length: span,
    times: fc.oneof(fc.constant(2), fc.nat(50), fc.nat(5000)),
  }),
  fc.record({ how: fc.constant('move' as const), at: place, length: span, to: place }),
  fc.record({
    how: fc.constant('number' as const),
    at: fc.nat(60),
    text: fc.constantFrom(...NUMBERS),
  }),
)
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never

/** From one mutation to a few. */
export const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 })

export function mutate(bytes: Buffer, steps: readonly Mutation[]): Buffer {
  let mutated: Buffer = bytes
  for (const step of steps) mutated = apply(mutated, step).subarray(0, MOST_BYTES)
  return mutated
}

/** The valid text is never in the way of the smallest counterexample: what is tried is the damaged one. */
export const damaged = (valid: readonly Buffer[]): fc.Arbitrary<Buffer> =>
  fc.tuple(fc.constantFrom(...valid), mutations).map(([bytes, steps]) => mutate(bytes, steps))

function apply(bytes: Buffer, step: Mutation): Buffer {
  if (step.how === 'number') return replaceNumber(bytes, step.at, step.text)
  const at = Math.floor((step.at * (bytes.length + 1)) / 0x10000)
  const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (step.how) {
    case 'flip': {
      const flipped = Buffer.from(bytes)
      if (at < flipped.length) flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << step.bit), at)
      return flipped
    }
    case 'insert':
      return Buffer.concat([before, step.bytes, behind])
    case 'replace':
      return Buffer.concat([before, step.bytes, behind.subarray(step.length)])
    case 'delete':
      return Buffer.concat([before, behind.subarray(step.length)])
    case 'cut':
      return before
    case 'repeat': {
      const part = behind.subarray(0, step.length)
      const times = Math.min(step.times, Math.floor(MOST_BYTES / (part.length + 1)))
      return Buffer.concat([before, ...Array<Buffer>(times).fill(part), behind])
    }
    case 'move': {
      const rest = Buffer.concat([before, behind.subarray(step.length)])
      const to = Math.floor((step.to * (rest.length + 1)) / 0x10000)
      const part = behind.subarray(0, step.length)
      return Buffer.concat([rest.subarray(0, to), part, rest.subarray(to)])
    }
  }
}

function replaceNumber(bytes: Buffer, index: number, text: string): Buffer {
  let i = 0
  // Each byte is a character here, so that bytes that are no UTF-8 stay as they are.
  const replaced = bytes
    .toString('latin1')
    .replace(/-?\d+(\.\d+)?/g, digits => (i++ === index ? text : digits))
  return Buffer.from(replaced, 'latin1')
}

/** A value of JSON in the place of another. A text is put in as it is: numbers beyond those of JavaScript too. */
const strange = fc.oneof(
  fc.constantFrom(...NUMBERS.filter(text => /^-?(0|[1-9]\d*)(\.\d+)?(e\d+)?$/.test(text))),
  fc.constantFrom('null', 'true', 'false', '""', '[]', '{}', '[null]', '[[]]', '{"":null}'),
  fc.constantFrom('"\\u0000"', '"/"', '"/.."', '".."', '"\\ud800"', '"9"', '"1e9"', '" 9"'),
  fc.constantFrom('{"__proto__":1}', '{"__proto__":{"a":1}}', '{"constructor":"a"}', '"a\\nb"'),
  fc.constantFrom('['.repeat(5000) + ']'.repeat(5000), JSON.stringify('x'.repeat(70_000))),
  fc.jsonValue().map(value => JSON.stringify(value)),
)

const edit = fc.record({
  at: fc.nat(200),
  how: fc.constantFrom('replace', 'remove', 'rename', 'repeat', 'wrap'),
  value: strange,
})
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

/** Texts of JSON whose values are others, or missing, or twice there. */
export const editedJson = (valid: readonly unknown[]): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 3 }))
    .map(([value, edits]) => Buffer.from(renderEdited(value, edits)))

/** Of JSON both: edited and, now and then, damaged. */
export const anyJson = (valid: readonly unknown[]): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 4, arbitrary: editedJson(valid) },
    { weight: 2, arbitrary: damaged(valid.map(each => Buffer.from(JSON.stringify(each)))) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('', ' ', 'null', '[]', '"', '{').map(each => Buffer.from(each)),
    },
  )

/** Renders JSON with the values, counted in their order, that are edited. */
function renderEdited(value: unknown, edits: readonly Edit[]): string {
  const size = countValues(value)
  const byIndex = new Map(edits.map(each => [each.at % size, each]))
  let index = 0
  const render = (each: unknown): string | undefined => {
    const found = byIndex.get(index++)
    const inner = () => renderInner(each, render)
    switch (found?.how) {
      case undefined:
        return inner()
      case 'replace':
        inner()
        return found.value
      case 'remove':
        inner()
        return undefined
      case 'repeat':
        return `${inner()},"again":${found.value}`
      case 'wrap':
        return `[${inner()}]`
      default:
        inner()
        return `${found?.value},"__proto__":${found?.value}`
    }
  }
  return render(value) ?? ''
}

function renderInner(value: unknown, render: (value: unknown) => string | undefined): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) {
    return `[${value
      .map(render)
      .filter(text => text !== undefined)
      .join(',')}]`
  }
  const entries = Object.entries(value).map(([key, each]) => {
    const text = render(each)
    return text === undefined ? undefined : `${JSON.stringify(key)}:${text}`
  })
  return `{${entries.filter(text => text !== undefined).join(',')}}`
}

function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce((sum: number, each) => sum + countValues(each), 1)
}
