/**
 * JSON of which nothing is known beforehand. A function whose name ends in `Of` returns the value if it has the wanted
 * type, and else `undefined`; `parseObject` and `check` throw instead.
 */

export interface Fields {
  readonly [key: string]: unknown
}

/** `undefined` for text that is no JSON, such as half of one. */
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

/** The value if it is a string and not empty. */
export const textOf = (value: unknown) => stringOf(value) || undefined

/** A number from 1 on, which may be decimal text: pids and start times are such numbers. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(number) && (number as number) > 0 ? (number as number) : undefined
}

/** A whole number from 0 up to and with `most`. */
export const upTo = (most: number) => (value: unknown) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
    ? (value as number)
    : undefined

export const naturalOf = upTo(Number.MAX_SAFE_INTEGER)

export function absoluteOf(value: unknown): string | undefined {
  const path = textOf(value)
  return path?.startsWith('/') && !path.includes('\0') ? path : undefined
}

/** The entries whose value is a string; none for a value that is no object. */
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

/** Parses a JSON object. Throws as `parseJson` does, also for any other JSON. */
export function parseObject(action: string, text: string): Fields {
  const value = parseJson(action, text)
  const fields = objectOf(value)
  if (fields !== undefined) return fields
  throw new SyntaxError(`Cannot ${action}: it holds no JSON object but ${quote(value)}`)
}

/**
 * Returns what `read` makes of `value`. When that is `undefined`, throws a SyntaxError with the value's name and what
 * was found.
 */
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

/** A value for a message: the text is bounded, whatever came in. */
export const quote = (value: unknown) => (JSON.stringify(value) ?? 'missing').slice(0, 100)
