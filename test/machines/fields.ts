/** Texts of fields, as the kernel writes them. */

import { type Field, parseFields, renderField } from '../../src/proc/lines.ts'

export function renderFields(fields: readonly Field[]): string {
  let text = ''
  for (const field of fields) text += renderField(field)
  return text
}

/** A meminfo with other numbers in some of its lines. */
export function changeFields(text: string, values: Readonly<Record<string, number>>): string {
  const fields = parseFields(text)
  return renderFields(fields.map(field => ({ ...field, value: values[field.key] ?? field.value })))
}
