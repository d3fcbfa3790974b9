/** A JSON text with lists of hooks by stage: ours put in, and taken out. */

import type { JSONPath } from 'jsonc-parser'
import { arrayOf, objectOf, quote } from '../../host/json.ts'
import type { Hook } from '../hooks/entry.ts'
import { isOurs } from '../hooks/ours.ts'
import { insertInJson, parseSettings, setInJson } from './edit-json.ts'

/** Where the lists stand: in a hook-spec at the top, in an OCI specification below `hooks`. */
type Place = readonly string[]

/**
 * Adds a hook to the end of each stage that has none of ours yet. Throws where a stage is no list.
 */
export function addHooks(
  path: string,
  text: string,
  place: Place,
  hook: Hook,
  stages: readonly string[],
): string {
  let edited = text
  for (const stage of stages) {
    const where: JSONPath = [...place, stage]
    const value = listsOf(path, edited, place)[stage]
    const list = arrayOf(value ?? [])
    if (list === undefined) {
      throw new SyntaxError(
        `Cannot edit ${path}: ${where.join('.')} is no list but ${quote(value)}`,
      )
    }
    if (list.some(each => isOurs(each))) continue
    edited =
      value === undefined || value === null
        ? setInJson(path, edited, where, [hook])
        : insertInJson(path, edited, [...where, list.length], hook)
  }
  return edited
}

/** Takes ours out of every stage. Stages that are empty then stay, as an empty list. */
export function removeHooks(path: string, text: string, place: Place): string {
  let edited = text
  for (const [stage, value] of Object.entries(listsOf(path, text, place))) {
    const list = arrayOf(value) ?? []
    for (let at = list.length - 1; at >= 0; at--) {
      if (isOurs(list[at])) edited = setInJson(path, edited, [...place, stage, at], undefined)
    }
  }
  return edited
}

function listsOf(path: string, text: string, place: Place) {
  let value: unknown = parseSettings(path, text, true)
  for (const key of place) value = objectOf(value)?.[key]
  return objectOf(value) ?? {}
}
