/** The memory of the run time. */

/** Gives back what is not used any more. Takes some 10 ms. */
export function collectGarbage(): void {
  Bun.gc(true)
}
