import fc from 'fast-check'
import t from 'tap'
import { parseCount, parseCountBytes } from '../../src/cgroup/numbers.ts'
import { bytesOf } from '../../src/host/directory-file.ts'

t.test('bytes are parsed as text is, to the last digit', async t => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 22 })
  const other = fc.string({ unit: fc.constantFrom(...'019 \n\t\v-+.ex\0é'), maxLength: 8 })
  const blanks = fc.constantFrom('', ' ', '\n', '\r\n', '\t ')
  const padded = fc.tuple(blanks, digits, blanks).map(parts => parts.join(''))
  const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String)
  const property = fc.property(fc.oneof(u64, padded, other), text => {
    return Object.is(parseCountBytes(bytesOf(text)), parseCount(text))
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }))
  for (const text of ['9007199254740993', '9007199254740991', '18446744073709551615', '0', ' ']) {
    t.equal(parseCountBytes(bytesOf(text)), parseCount(text), text)
  }
  t.equal(parseCountBytes(undefined), undefined)
})
