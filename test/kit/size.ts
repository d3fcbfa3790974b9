/**
 * How much a test does of what could go on for ever. PROCVEIL_TESTS says it: `short`, where it is not set, is for
 * one who waits for the result, `long` for continuous integration, and `full` for a night of chaos.
 */

interface Sizes {
  /** Enough to fail where something is broken. */
  short: number
  long: number
  /** As `long` when missing. */
  full?: number
}

export function size({ short, long, full = long }: Sizes): number {
  switch (process.env.PROCVEIL_TESTS ?? 'short') {
    case 'short':
      return short
    case 'long':
      return long
    case 'full':
      return full
    default:
      throw new RangeError(
        `Cannot run tests of the size "${process.env.PROCVEIL_TESTS}": it is short, long or full`,
      )
  }
}
