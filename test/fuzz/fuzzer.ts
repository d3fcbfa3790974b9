/** What a fuzzer is, and what its target may throw: an error of ours, or the system's. */

import type fc from 'fast-check'

export interface Fuzzer<T> {
  values: fc.Arbitrary<T>
  /** Throws when something does not hold for the value. `directory` is empty at first, and this fuzzer's alone. */
  check: (value: T, directory: string) => void
}

/** Keeps the type of the values between the two. */
export const fuzzer = <T>(values: Fuzzer<T>['values'], check: Fuzzer<T>['check']): Fuzzer<T> => ({
  values,
  check,
})

/** Runs what may fail. Returns `undefined` when it fails as it should, and throws what it may not throw. */
export function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    requireOurs(error)
    return undefined
  }
}

/**
 * Throws for an error that says nothing to a person: one of the engine, such as a TypeError, or that of an array which
 * is too long. Ours say what could not be done; the system's have an errno's name.
 */
export function requireOurs(error: unknown): void {
  if (isOurs(error)) return
  throw new Error('It failed with an error that is not ours', { cause: error })
}

/** Only what JSON.parse says of a text may be the engine's, as the cause of an error of ours. */
function isOurs(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  // Node has a code of its own for rm(1) of a directory.
  if ('code' in error) return /^(E[A-Z0-9]+|ERR_FS_EISDIR)$/.test(String(error.code))
  const { name, message, cause } = error
  if (!['Error', 'SyntaxError', 'RangeError'].includes(name)) return false
  const isParsers = cause instanceof SyntaxError && cause.stack?.includes('JSON.parse') === true
  return /^Cannot [a-z]/.test(message) && (cause === undefined || isParsers || isOurs(cause))
}
