/** Texts of fields, as the kernel writes them. */

import { type Field, renderField } from '../../src/proc/lines.ts'

export function renderFields(fields: readonly Field[]): string {
  let text = ''
  for (const field of fields) text += renderField(field)
  return text
}
