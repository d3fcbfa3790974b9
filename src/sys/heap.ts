/** The memory of the run time. */

/** Gives memory back that is not used any more, which takes some 10 ms. */
export function collectGarbage(): void {
  Bun.gc(true)
}
