/** How often each property is tried; PROCVEIL_RUNS=100 is for a quick look. */

import fc from 'fast-check'
import type { Test } from 'tap'

const RUNS = Number(process.env.PROCVEIL_RUNS ?? 10_000)

/** Throws with the smallest counterexample, its seed and its path when `check` throws for one. */
export function holds<T>(t: Test, values: fc.Arbitrary<T>, check: (value: T) => void): void {
  const property = fc.property(values, value => check(value))
  fc.assert(property, { numRuns: RUNS, includeErrorInReport: true })
  t.pass(`${RUNS} runs`)
}

export function ensure(condition: boolean, message: () => string): void {
  if (!condition) throw new Error(message())
}
