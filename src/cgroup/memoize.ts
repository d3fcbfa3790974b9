/** What stays the same from reading to reading is made once. */

import { type Bytes, type Sample, textOf } from '../host/directory-file.ts'

/**
 * Returns a function like `make`, which does not call it again for the inputs that came last. Nobody may change its
 * result.
 */
export function memoize<One, T>(make: (one: One) => T): (one: One) => T
export function memoize<One, Other, T>(
  make: (one: One, other: Other) => T,
): (one: One, other: Other) => T
export function memoize<T>(
  make: (one: unknown, other?: unknown) => T,
): (one: unknown, other?: unknown) => T {
  let isMade = false
  let lastOne: unknown
  let lastOther: unknown
  let value: T
  return (one, other) => {
    if (isMade && one === lastOne && other === lastOther) return value
    value = make(one, other)
    lastOne = one
    lastOther = other
    isMade = true
    return value
  }
}

/** Returns a function like `memoize` does, for texts that come as bytes: `parse` gets a string where they are others. */
export function memoizeText<T>(
  parse: (text: string | undefined) => T,
): (bytes: Bytes | undefined) => T {
  let isMade = false
  let last: Uint8Array | undefined
  let value: T
  return bytes => {
    if (isMade && isSameText(last, bytes)) return value
    const copy = bytes && Buffer.from(bytes.buffer.subarray(0, bytes.length))
    value = parse(copy?.toString())
    last = copy
    isMade = true
    return value
  }
}

/** Returns a function like `memoize` does, for a text that is read for many. */
export function memoizeSample<T>(parse: (text: string) => T): (sample: Sample) => T {
  let version: number | undefined
  let value: T
  return sample => {
    if (sample.version !== version) {
      value = parse(textOf(sample))
      version = sample.version
    }
    return value
  }
}

function isSameText(last: Uint8Array | undefined, bytes: Bytes | undefined): boolean {
  if (last === undefined || bytes === undefined) return last === bytes
  if (last.length !== bytes.length) return false
  for (let i = 0; i < last.length; i++) if (last[i] !== bytes.buffer[i]) return false
  return true
}
