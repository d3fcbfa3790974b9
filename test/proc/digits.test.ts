import fc from 'fast-check'
import t from 'tap'
import { countDigits, putNumber } from '../../src/proc/digits.ts'

t.test('a number has the digits of its text', async t => {
  const check = (value: number) => {
    const buffer = Buffer.alloc(20, '.')
    const start = putNumber(buffer, 18, value)
    const text = String(value)
    return (
      countDigits(value) === text.length &&
      buffer.toString() === `${'.'.repeat(18 - text.length)}${text}..` &&
      start === 18 - text.length
    )
  }
  for (const value of [0, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53]) {
    t.ok(check(value), String(value))
  }
  const values = fc.oneof(fc.maxSafeNat(), fc.nat())
  t.doesNotThrow(() => fc.assert(fc.property(values, check), { numRuns: 1000 }))
})
