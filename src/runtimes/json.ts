/** Values of a JSON object of which nothing is known: each has the wanted type, or is `undefined`. */

export interface Fields {
  readonly [key: string]: unknown
}

/** `undefined` for text that is no JSON object: half of one, for example. */
export function parseFields(text: string): Fields | undefined {
  try {
    return objectOf(JSON.parse(text))
  } catch {
    return undefined
  }
}

export function objectOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : undefined
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A count from 1, also as decimal text: what a pid and a start time are. */
export function countOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(number) && (number as number) > 0 ? (number as number) : undefined
}

export function absoluteOf(value: unknown): string | undefined {
  const path = textOf(value)
  return path?.startsWith('/') && !path.includes('\0') ? path : undefined
}

export function textsOf(value: unknown): Record<string, string> {
  const entries = Object.entries(objectOf(value) ?? {})
  return Object.fromEntries(entries.filter(([, text]) => typeof text === 'string')) as Record<
    string,
    string
  >
}

export const arrayOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
