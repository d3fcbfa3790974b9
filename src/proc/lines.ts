/**
 * Lines such as `MemTotal:        1048576 kB`. fs/proc/meminfo.c and mm/hugetlb.c set the number right-aligned
 * to column 24, behind a name of at least 16 columns, or 19 for the counts of huge pages.
 */

export interface Field {
  key: string
  /** Kibibytes, or a count when there is no unit; a number beyond MOST_EXACT counts as that. */
  value: number
  unit: ' kB' | ''
  /** The number as the text has it, where it is beyond MOST_EXACT: the kernel writes a count below 0 as one near 2^64. */
  digits?: string
}

/** Above this a double skips numbers. */
export const MOST_EXACT = Number.MAX_SAFE_INTEGER

/** Fields in the text's order. Lines that hold no number are left out. */
export function parseFields(text: string): Field[] {
  const fields: Field[] = []
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    const field = parseField(text.slice(at, end))
    if (field !== undefined) fields.push(field)
  }
  return fields
}

/** `undefined` for a line that holds no number. */
export function parseField(line: string): Field | undefined {
  const colon = line.indexOf(':')
  if (colon < 0) return undefined
  const rest = line.slice(colon + 1).trim()
  const value = Number.parseInt(rest, 10)
  if (!(value >= 0)) return undefined
  const key = line.slice(0, colon)
  const unit = rest.endsWith(' kB') ? ' kB' : ''
  if (value <= MOST_EXACT) return { key, value, unit }
  const [digits = ''] = /^\d+/.exec(rest) ?? []
  return isU64(digits) ? { key, value: MOST_EXACT, unit, digits } : undefined
}

/** Whether the digits are a number that the kernel can write. */
export const isU64 = (digits: string) =>
  digits.length < MOST_U64.length || (digits.length === MOST_U64.length && digits <= MOST_U64)

const MOST_U64 = String(2n ** 64n - 1n)

export function fieldValue(fields: readonly Field[], key: string): number | undefined {
  for (const field of fields) if (field.key === key) return field.value
  return undefined
}

/** Names and numbers too long for their columns push what follows to the right. */
export function renderField({ key, value, unit, digits = String(value) }: Field): string {
  const label = labelOf(key)
  return `${label}${BLANKS[NUMBER_END - label.length - digits.length] ?? ''}${digits}${unit}\n`
}

export const NUMBER_END = 24

/** Runs of blanks, by the number of blanks. */
const BLANKS = Array.from({ length: NUMBER_END }, (_, count) => ' '.repeat(count))

/** The name, with blanks up to where its number's column may begin. */
export function labelOf(key: string): string {
  const known = labels.get(key)
  if (known !== undefined) return known
  const columns = key.startsWith('HugePages_') ? 19 : 16
  const label = `${`${key}:`.padEnd(columns - 1)} `
  if (labels.size < MOST_LABELS) labels.set(key, label)
  return label
}

const labels = new Map<string, string>()
const MOST_LABELS = 256
