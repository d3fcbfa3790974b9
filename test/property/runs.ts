/** How often each property is tried, and what says that it does not hold. */

import fc from 'fast-check'
import type { Test } from 'tap'
import { size } from '../kit/size.ts'

const RUNS = size({ short: 200, long: 10_000 })

/** Throws with the smallest counterexample, its seed and its path when `check` throws for one. */
export function holds<T>(t: Test, values: fc.Arbitrary<T>, check: (value: T) => void): void {
  const property = fc.property(values, value => check(value))
  fc.assert(property, { numRuns: RUNS, includeErrorInReport: true })
  t.pass(`${RUNS} runs`)
}

export function ensure(condition: boolean, message: () => string): void {
  if (!condition) throw new Error(message())
}
