/**
 * Edits of containerd's config.toml. What is ours stands between marks, so that it is found again in a file that others
 * have edited; every other byte stays. The result is parsed, and has to say what the file said before, and ours.
 */

import { isDeepStrictEqual } from 'node:util'
import { stringify } from 'smol-toml'
import { type Fields, objectOf } from '../../host/json.ts'
import { parseToml } from '../hooks/toml.ts'

const BEGIN = '# begin procveil'
const INSTEAD = ', instead of: '
const END = '# end procveil'

const BLOCK = new RegExp(
  `^([ \\t]*)${BEGIN}(?:${INSTEAD}(.*))?\\n(?:.*\\n)*?[ \\t]*${END}(?:\\n|$)`,
  'gm',
)

/** What is set below `plugins.NAME.containerd`. */
export interface Setting {
  plugin: string
  /** Tables by the runtimes' names. */
  runtimes: Readonly<Record<string, Fields>>
  /** The runtime that becomes the default. */
  defaultName: string | undefined
}

/** The text with more runtimes. Throws an error where the file does not allow it. */
export function addRuntimes(path: string, text: string, setting: Setting): string {
  const { plugin, runtimes, defaultName } = setting
  const replaced = defaultName && setDefault(text, plugin, defaultName)
  const inBlock = replaced ? { runtimes } : saidOf(setting)
  const edited = append(replaced || text, plugin, inBlock)
  if (says(edited, wantedOf(path, text, setting))) return edited
  throw new Error(
    `Cannot add a runtime to ${path}: its tables are written in a way that leaves no place for one; ` +
      `add by hand:\n${renderRuntimes(setting)}`,
  )
}

/** The text of a file of its own that has the runtimes. */
export const renderRuntimes = (setting: Setting): string =>
  `${stringify(below(setting.plugin, saidOf(setting))).trimEnd()}\n`

/** The text without what stands between our marks. */
export const removeBlocks = (text: string): string =>
  text.replace(BLOCK, (_, indent: string, line: string | undefined) =>
    line === undefined ? '' : `${indent}${line}\n`,
  )

function append(text: string, plugin: string, said: Fields): string {
  const body = `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}`
  return `${body}${BEGIN}\n${stringify(below(plugin, said)).trimEnd()}\n${END}\n`
}

/**
 * Sets default_runtime_name in the table that the file has for it; `undefined` when it has none. A line that only looks
 * like the table's head, in a text of several lines, is found out when the result is parsed.
 */
function setDefault(text: string, plugin: string, name: string): string | undefined {
  const lines = text.split('\n')
  const head = lines.findIndex(line => isHead(line, plugin))
  if (head === -1) return undefined
  const next = lines.findIndex((line, at) => at > head && /^\s*\[/.test(line))
  const end = next === -1 ? lines.length : next
  const old = lines.findIndex(
    (line, at) => at > head && at < end && /^\s*default_runtime_name\s*=/.test(line),
  )
  const before = old === -1 ? undefined : lines[old]
  const indent = /^\s*/.exec(before ?? lines[head] ?? '')?.[0] ?? ''
  const block = [
    `${indent}${BEGIN}${before === undefined ? '' : INSTEAD + before.trimStart()}`,
    `${indent}default_runtime_name = ${JSON.stringify(name)}`,
    `${indent}${END}`,
  ]
  if (old === -1) lines.splice(head + 1, 0, ...block)
  else lines.splice(old, 1, ...block)
  return lines.join('\n')
}

function isHead(line: string, plugin: string): boolean {
  if (!/^\s*\[[^[]/.test(line)) return false
  try {
    return isDeepStrictEqual(parseToml('parse', line), below(plugin, {}))
  } catch {
    return false
  }
}

function says(text: string, wanted: Fields): boolean {
  try {
    return isDeepStrictEqual(parseToml('parse', text), wanted)
  } catch {
    return false
  }
}

/** What the edited file has to say: all that it said, and ours. */
function wantedOf(path: string, text: string, setting: Setting): Fields {
  const old = parseToml(`edit ${path}`, text)
  const plugins = objectOf(old.plugins)
  const table = objectOf(plugins?.[setting.plugin])
  const containerd = objectOf(table?.containerd)
  const runtimes = { ...objectOf(containerd?.runtimes), ...setting.runtimes }
  const made = { ...containerd, ...saidOf(setting), runtimes }
  return { ...old, plugins: { ...plugins, [setting.plugin]: { ...table, containerd: made } } }
}

const saidOf = ({ runtimes, defaultName }: Setting): Fields => ({
  ...(defaultName === undefined ? {} : { default_runtime_name: defaultName }),
  runtimes,
})

const below = (plugin: string, said: Fields): Fields => ({
  plugins: { [plugin]: { containerd: said } },
})
