/** TOML of others: containerd's, CRI-O's and podman's configuration. */

import { parse, TomlError } from 'smol-toml'
import { type Fields, objectOf } from '../../host/json.ts'

/** Throws a SyntaxError that says where the text is no TOML; `action` is what cannot be done. */
export function parseToml(action: string, text: string): Fields {
  try {
    return plainOf(parse(text, { integersAsBigInt: 'asNeeded' })) as Fields
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause
    const what = cause.message.split('\n')[0]?.replace('Invalid TOML document: ', '')
    throw new SyntaxError(`Cannot ${action}: line ${cause.line}, column ${cause.column}: ${what}`)
  }
}

/** The library's tables have no prototype, which sets them apart from equal ones that are made here. */
function plainOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainOf)
  if (value instanceof Date || objectOf(value) === undefined) return value
  return Object.fromEntries(
    Object.entries(value as Fields).map(([key, each]) => [key, plainOf(each)]),
  )
}
