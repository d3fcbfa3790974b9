/**
 * The configuration file: a JSON object with options for all containers, such as `{ "cpuQuota": "off" }`, and with what the
 * service does by itself.
 */

import { readFileSync } from 'node:fs'
import { type Fields, objectOf, parseJson, quote } from '../host/json.ts'
import { DEFAULT_OPTIONS, type Options, parseOptions } from '../proc/options.ts'
import { DEFAULT_SETTINGS, type Settings } from './default-settings.ts'

/**
 * Returns the options that the file sets, and the defaults for the others. A missing file at the default path sets no
 * options. Throws for every other file that cannot be read, and for a file that holds anything but options.
 */
export function readDefaults({ config }: Pick<Settings, 'config'>): Options {
  const text = readConfig(config)
  return text === undefined ? DEFAULT_OPTIONS : parseDefaults(text, config)
}

/**
 * Returns the options that the text sets, and the defaults for the others. Throws when the text holds anything but
 * options.
 */
export function parseDefaults(text: string, where: string): Options {
  return { ...DEFAULT_OPTIONS, ...parseConfig(text, where) }
}

/**
 * Returns the text that `parseDefaults` makes these options of again. What is as by default is not in it: an earlier
 * version may not know an option that nobody has set.
 */
export function renderDefaults(options: Options): string {
  const isSet = ([name, value]: [string, unknown]) =>
    JSON.stringify(value) !== JSON.stringify(DEFAULT_OPTIONS[name as keyof Options])
  return JSON.stringify(Object.fromEntries(Object.entries(options).filter(isSet)))
}

/** What the service does; no annotation of a container can set it. */
export interface ServiceOptions {
  /** Whether it does what `procveil watch` does. */
  watch: 'off' | 'on'
}

/** Returns what the file says of the service. Throws as `readDefaults` does. */
export function readServiceOptions({ config }: Pick<Settings, 'config'>): ServiceOptions {
  const text = readConfig(config)
  return { watch: text === undefined ? 'off' : parseWatch(parseFields(text, config).watch, config) }
}

/** Returns the options for containers that the text sets. What it says of the service has to be right as well. */
export function parseConfig(text: string, where: string): Partial<Options> {
  const { watch, ...options } = parseFields(text, where)
  parseWatch(watch, where)
  return parseOptions(options, where, ['watch'])
}

function parseWatch(value: unknown, where: string): ServiceOptions['watch'] {
  if (value === undefined || value === 'off') return 'off'
  if (value === 'on') return 'on'
  throw new RangeError(`Cannot use watch ${quote(value)} in ${where}: it must be off or on`)
}

function parseFields(text: string, where: string): Fields {
  const fields = objectOf(parseJson(`read ${where}`, text))
  if (fields !== undefined) return fields
  throw new SyntaxError(`Cannot read ${where}: it must hold an object such as {"cpuQuota":"off"}`)
}

function readConfig(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    if (absent && path === DEFAULT_SETTINGS.config) return undefined
    throw new Error(`Cannot read the configuration ${path}`, { cause })
  }
}
