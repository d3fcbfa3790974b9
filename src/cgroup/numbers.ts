/** Numbers in the files of cgroups. */

import type { Bytes } from '../host/directory-file.ts'

/** A u64 that a cgroup file gives, blanks around it allowed; `undefined` for anything else. */
export function parseCount(text: string | undefined): number | undefined {
  return text === undefined ? undefined : scanCount(text, 0, text.length)
}

/** Parses like `parseCount`, but only the text from `start` to `end`. */
function scanCount(text: string, start: number, end: number): number | undefined {
  let at = start
  let last = end
  while (at < last && isBlank(text.charCodeAt(at))) at++
  while (last > at && isBlank(text.charCodeAt(last - 1))) last--
  const digits = last - at
  if (digits < 1 || digits > MOST_DIGITS) return undefined
  let value = 0
  for (let i = at; i < last; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  // Beyond the exact numbers each step may round, so the text is then converted at once.
  return digits <= EXACT_DIGITS ? value : Number(text.slice(at, last))
}

/** Parses like `parseCount`, without making a string. */
export function parseCountBytes(bytes: Bytes | undefined): number | undefined {
  return bytes === undefined ? undefined : scanCountBytes(bytes.buffer, 0, bytes.length)
}

/** Parses like `parseCountBytes`, but only the bytes from `start` to `end`. */
export function scanCountBytes(buffer: Uint8Array, start: number, end: number): number | undefined {
  let at = start
  let last = end
  while (at < last && isBlank(buffer[at] ?? 0)) at++
  while (last > at && isBlank(buffer[last - 1] ?? 0)) last--
  if (last === at || last - at > MOST_DIGITS) return undefined
  // Both parts are exact, and so is 10^15 times the first one, so that the sum is rounded once.
  let high = 0
  let low = 0
  for (; at < last; at++) {
    if (last - at === EXACT_DIGITS) {
      high = low
      low = 0
    }
    const digit = (buffer[at] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return undefined
    low = low * 10 + digit
  }
  return high * 10 ** EXACT_DIGITS + low
}

/** Where the line ends that `from` is in, at most at `end`. */
export function endOfLine(buffer: Uint8Array, from: number, end: number): number {
  let at = from
  while (at < end && buffer[at] !== NEWLINE) at++
  return at
}

/** Nanoseconds as whole microseconds. */
export function parseNanoseconds(text: string | undefined): number | undefined {
  const nanoseconds = parseCount(text)
  return nanoseconds === undefined ? undefined : Math.floor(nanoseconds / 1000)
}

/** The number behind `key ` in a flat keyed file, cgroup-v2.rst "Format"; the key is matched whole. */
export function findCount(text: string, key: string): number | undefined {
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    if (text.startsWith(key, at) && text[at + key.length] === ' ') {
      return scanCount(text, at + key.length, end)
    }
  }
  return undefined
}

export const NEWLINE = 10

/** A u64 has at most this many digits. */
export const MOST_DIGITS = 20
/** A double is exact for every number of this many digits. */
const EXACT_DIGITS = 15
const ZERO = 48

/** A space, or a control that C's isspace(3) takes for one. */
export const isBlank = (code: number) => code === 32 || (code >= 9 && code <= 13)
