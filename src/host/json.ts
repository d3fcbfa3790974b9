/**
 * JSON of which nothing is known. What ends in `Of` is the value if it has the wanted type, and else `undefined`;
 * `parseObject` and `check` throw instead.
 */

export interface Fields {
  readonly [key: string]: unknown
}

/** `undefined` for text that is no JSON: half of one, for example. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function objectOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined
}

export const stringOf = (value: unknown) => (typeof value === 'string' ? value : undefined)

/** As `stringOf`, but nothing for an empty one. */
export const textOf = (value: unknown) => stringOf(value) || undefined

/** A count from 1, also as decimal text: what a pid and a start time are. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(number) && (number as number) > 0 ? (number as number) : undefined
}

/** A natural number or 0, up to and with `most`. */
export const upTo = (most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
    ? (value as number)
    : undefined

export const naturalOf = upTo(Number.MAX_SAFE_INTEGER)

export function absoluteOf(value: unknown): string | undefined {
  const path = textOf(value)
  return path?.startsWith('/') && !path.includes('\0') ? path : undefined
}

/** The entries whose value is a string; none of what is no object. */
export function stringsOf(value: unknown): Record<string, string> {
  const entries = Object.entries(objectOf(value) ?? {})
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

export const arrayOf = (value: unknown): readonly unknown[] | undefined =>
  Array.isArray(value) ? value : undefined

/** Throws a SyntaxError that says what was found instead of JSON; `action` is what cannot be done. */
export function parseJson(action: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SyntaxError(`Cannot ${action}: it holds no JSON but ${quote(text)}`, { cause })
  }
}

/** As `parseJson`, for any other JSON too. */
export function parseObject(action: string, text: string): Fields {
  const value = parseJson(action, text)
  const fields = objectOf(value)
  if (fields !== undefined) return fields
  throw new SyntaxError(`Cannot ${action}: it holds no JSON object but ${quote(value)}`)
}

/** What `read` makes of a value. Throws a SyntaxError with its name and what was found when that is nothing. */
export function check<Value>(
  action: string,
  name: string,
  value: unknown,
  read: (value: unknown) => Value | undefined,
): Value {
  const wanted = read(value)
  if (wanted !== undefined) return wanted
  throw new SyntaxError(`Cannot ${action}: ${name} is ${quote(value)}`)
}

/** For a message: bounded, whatever came in. */
export const quote = (value: unknown) => (JSON.stringify(value) ?? 'missing').slice(0, 100)
