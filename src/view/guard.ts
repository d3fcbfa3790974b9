/** What is told of the making of views, and what must not be done again: see filesystem/quarantine.ts. */

export interface Guard {
  /** `number` is the one that `Views.numberOf` says of the view. Returns false where there is to be no view. */
  begin(number: number): boolean
  /** To be called when that has ended, however it did. */
  end(): void
}

export const UNGUARDED: Guard = { begin: () => true, end: () => {} }

/** Makes the view of this number; `undefined` where there is to be none. */
export function guarded<View>(
  guard: Guard,
  number: number,
  make: () => View | undefined,
): View | undefined {
  if (!guard.begin(number)) return undefined
  try {
    return make()
  } finally {
    guard.end()
  }
}
