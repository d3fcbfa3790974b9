/**
 * The config.json of a container that is about to be created, with our hook in it. Every byte stays but for what is
 * put in: a runtime may know fields, numbers and spellings that nobody here knows.
 */

import { isDeepStrictEqual } from 'node:util'
import {
  applyEdits,
  findNodeAtLocation,
  type JSONPath,
  modify,
  type Node,
  parseTree,
} from 'jsonc-parser'
import { arrayOf, type Fields, objectOf, parseObject, quote } from '../../host/json.ts'
import type { Hook } from '../hooks/entry.ts'
import { isOurs } from '../hooks/ours.ts'

/** The stages that get a hook, each with its own. */
export type Hooks = Readonly<Record<'createRuntime' | 'poststop', Hook>>

/**
 * Returns the text with the hooks behind those that it has, or `undefined` where one of ours is there already, in
 * whatever stage. Characters may stand for bytes: no text outside of strings is longer than one byte in JSON. Throws an
 * error where the text does not allow it.
 */
export function addToConfig(text: string, hooks: Hooks): string | undefined {
  const config = parseObject('parse it', text)
  const root = parseTree(text)
  refuseAmbiguous(root, 'hooks')
  const lists = listsOf(config)
  if (Object.values(lists).some(list => arrayOf(list)?.some(each => isOurs(each)))) return undefined
  const entries = Object.entries(hooks)
  let edited = text
  const node = root && findNodeAtLocation(root, ['hooks'])
  if (node?.type !== 'object') edited = set(text, ['hooks'], listPerStage(entries))
  else {
    for (const [stage, hook] of entries) {
      refuseAmbiguous(node, stage)
      const list = arrayOf(lists[stage])
      edited =
        list === undefined
          ? set(edited, ['hooks', stage], [hook])
          : insert(edited, ['hooks', stage, list.length], hook)
    }
  }
  if (isDeepStrictEqual(JSON.parse(edited), wantedOf(config, lists, entries))) return edited
  throw new Error('it cannot be put there without another change; is a key there twice?')
}

/** Go takes a key in any case, and of two the later one, or parts of both. */
function refuseAmbiguous(node: Node | undefined, key: string): void {
  const keys = (node?.children ?? []).map(property => String(property.children?.[0]?.value))
  const alike = keys.filter(each => each.toLowerCase() === key.toLowerCase())
  if (alike.length === 0 || (alike.length === 1 && alike[0] === key)) return
  throw new SyntaxError(`it has the keys ${quote(alike)}, where only ${key} is clear`)
}

function listsOf({ hooks }: Fields): Fields {
  const lists = hooks === undefined || hooks === null ? {} : objectOf(hooks)
  if (lists === undefined) {
    throw new SyntaxError(`hooks is no object but ${quote(hooks)}`)
  }
  for (const [stage, list] of Object.entries(lists)) {
    if (list === null || arrayOf(list) !== undefined) continue
    throw new SyntaxError(`hooks.${stage} is no list but ${quote(list)}`)
  }
  return lists
}

/** Without options for its form a value is written without a blank or a new line. */
const set = (text: string, where: JSONPath, value: unknown) =>
  applyEdits(text, modify(text, where, value, {}))

const insert = (text: string, where: JSONPath, value: unknown) =>
  applyEdits(text, modify(text, where, value, { isArrayInsertion: true }))

const listPerStage = (entries: readonly (readonly [string, Hook])[]) =>
  Object.fromEntries(entries.map(([stage, hook]) => [stage, [hook]]))

function wantedOf(config: Fields, lists: Fields, entries: readonly (readonly [string, Hook])[]) {
  const added = entries.map(([stage, hook]) => [stage, [...(arrayOf(lists[stage]) ?? []), hook]])
  return { ...config, hooks: { ...lists, ...Object.fromEntries(added) } }
}
