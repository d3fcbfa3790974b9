/**
 * Edits of a JSON text that leave alone what they do not change: the keys of others, their order, their indentation.
 * Every edit is checked against what it was to do.
 */

import { isDeepStrictEqual } from 'node:util'
import {
  applyEdits,
  type Edit,
  findNodeAtLocation,
  type JSONPath,
  type ModificationOptions,
  modify,
  type Node,
  type ParseError,
  parse,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'
import { type Fields, objectOf, quote } from '../../host/json.ts'

/**
 * Parses a JSON object; an empty text is an empty one, as docker has it. Throws a SyntaxError that says where the text
 * is none. iSulad's parser takes comments, and docker's does not.
 */
export function parseSettings(path: string, text: string, comments: boolean): Fields {
  if (text.trim() === '') return {}
  const errors: ParseError[] = []
  const value: unknown = parse(text, errors, { disallowComments: !comments })
  const [error] = errors
  if (error !== undefined) {
    const lines = text.slice(0, error.offset).split('\n')
    const place = `line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`
    throw new SyntaxError(
      `Cannot edit ${path}: it holds no JSON, at ${place}: ${printParseErrorCode(error.error)}; correct it first`,
    )
  }
  const fields = objectOf(value)
  if (fields !== undefined) return fields
  throw new SyntaxError(`Cannot edit ${path}: it holds no JSON object but ${quote(text)}`)
}

/** Sets a value, or removes it with `undefined`. `where` is a path of keys and places in lists. */
export function setInJson(path: string, text: string, where: JSONPath, value: unknown): string {
  return edit(path, text, where, value, {})
}

/** Puts a value into a list at a place. */
export function insertInJson(path: string, text: string, where: JSONPath, value: unknown): string {
  return edit(path, text, where, value, { isArrayInsertion: true })
}

function edit(
  path: string,
  text: string,
  where: JSONPath,
  value: unknown,
  options: ModificationOptions,
): string {
  const base = text.trim() === '' ? '{}\n' : text
  const edits =
    value === undefined && typeof where.at(-1) === 'number'
      ? removal(base, where)
      : modify(base, where, value, { ...options, ...formatting(base, where) })
  const edited = applyEdits(base, edits)
  const wanted = apply(parseSettings(path, base, true), where, value, options)
  if (isDeepStrictEqual(parseSettings(path, edited, true), wanted)) return edited
  throw new Error(
    `Cannot edit ${path}: ${where.join('.')} cannot be set in it without other changes; is a key there twice?`,
  )
}

/** Takes an item out of a list: `modify` of jsonc-parser 3.3.1 damages a list that stands on one line. */
function removal(text: string, where: JSONPath): Edit[] {
  const root = parseTree(text)
  const list = root && findNodeAtLocation(root, where.slice(0, -1))
  const items = list?.children ?? []
  const at = Number(where.at(-1))
  const [before, item, after] = [items[at - 1], items[at], items[at + 1]]
  if (list === undefined || item === undefined) return []
  const end = (node: Node) => node.offset + node.length
  if (after !== undefined) return [cut(item.offset, after.offset)]
  return [before === undefined ? cut(list.offset + 1, end(list) - 1) : cut(end(before), end(item))]
}

const cut = (from: number, to: number): Edit => ({ offset: from, length: to - from, content: '' })

/** A new value is indented as its surroundings are, and stays on the line of what stands on one. */
function formatting(text: string, where: JSONPath): ModificationOptions {
  const root = parseTree(text)
  const paths = where.map((_, at) => where.slice(0, at))
  const surrounding = root && paths.map(at => findNodeAtLocation(root, at)).findLast(isContainer)
  if (surrounding !== undefined && (surrounding.children?.length ?? 0) > 0) {
    const inside = text.slice(surrounding.offset, surrounding.offset + surrounding.length)
    if (!inside.includes('\n')) return {}
  }
  const indent = /^([ \t]+)"/m.exec(text)?.[1] ?? '  '
  return {
    formattingOptions: {
      insertSpaces: !indent.startsWith('\t'),
      tabSize: indent.startsWith('\t') ? 1 : indent.length,
      eol: text.includes('\r\n') ? '\r\n' : '\n',
    },
  }
}

const isContainer = (node: Node | undefined): node is Node =>
  node?.type === 'object' || node?.type === 'array'

/** The value that an edit is to leave. */
function apply(
  root: unknown,
  where: JSONPath,
  value: unknown,
  options: ModificationOptions,
): unknown {
  const [key, ...rest] = where
  if (key === undefined) return value
  if (typeof key === 'number') {
    const list = Array.isArray(root) ? [...root] : []
    if (rest.length > 0) list[key] = apply(list[key], rest, value, options)
    else if (options.isArrayInsertion) list.splice(key, 0, value)
    else list.splice(key, 1, ...(value === undefined ? [] : [value]))
    return list
  }
  const { [key]: old, ...others } = objectOf(root) ?? {}
  const made = apply(old, rest, value, options)
  return made === undefined ? others : { ...others, [key]: made }
}
