/**
 * What an operator can choose about the files' content: for all containers in the configuration file, for one by
 * annotations `io.procveil.<option>`. The defaults are right for nearly everybody.
 */

import { quote } from '../host/json.ts'
import { DIRECTORY_PATHS, FILE_PATHS, type FilePath, findFile } from './paths.ts'

/** The values of each option, the default first. option-descriptions.ts says what they do. */
const CHOICES = {
  cpuQuota: ['on', 'off'],
  cpuNumbering: ['virtual', 'real'],
  topology: ['openeuler', 'single-socket', 'host'],
  cpuDirectories: ['on', 'off'],
  fractional: ['steal', 'idle'],
  maskPossible: ['off', 'on'],
  clampFreeToHost: ['off', 'on'],
  v1SwapTotal: ['diff', 'memsw'],
  swap: ['on', 'off'],
  uptime: ['container', 'host'],
  loadavg: ['on', 'off'],
  diskstats: ['container', 'host'],
  diskTimes: ['zero', 'apportion'],
  openEulerEmptyNames: ['off', 'on'],
  slabinfo: ['empty', 'host'],
  pressure: ['on', 'host'],
  nestedMounts: ['off', 'on'],
} as const

export type Choices = { [Name in keyof typeof CHOICES]: (typeof CHOICES)[Name][number] }

export interface Options extends Choices {
  cgroup: 'auto' | `/${string}`
  files: readonly FilePath[]
}

/** Programs that size arrays by this file must not be misled, so binding it takes an option of its own. */
const POSSIBLE: FilePath = 'sys/devices/system/cpu/possible'

export const DEFAULT_OPTIONS: Readonly<Options> = {
  ...(Object.fromEntries(
    Object.entries(CHOICES).map(([name, values]) => [name, values[0]]),
  ) as unknown as Choices),
  cgroup: 'auto',
  files: FILE_PATHS.filter(path => path !== POSSIBLE),
}

type Bound = Pick<Options, 'files' | 'maskPossible' | 'cpuDirectories'>

/** What is bound into a container with these options: files, then directories that lie over some of them. */
export function filesToBind({ files, maskPossible, cpuDirectories }: Bound): readonly string[] {
  const masked = maskPossible === 'on' && !files.includes(POSSIBLE) ? [...files, POSSIBLE] : files
  // Who wants the host's CPUs in `online` wants them as directories, too.
  const hasDirectories = cpuDirectories === 'on' && files.includes(ONLINE)
  return hasDirectories ? [...masked, ...DIRECTORY_PATHS] : masked
}

const ONLINE: FilePath = 'sys/devices/system/cpu/online'

/**
 * Parses options by name, as JSON or annotations have them. Throws a RangeError for an unknown option or value, which
 * names `where` and lists those that are known: `others` are known there as well.
 */
export function parseOptions(
  values: Readonly<Record<string, unknown>>,
  where: string,
  others: readonly string[] = [],
): Partial<Options> {
  const options: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(values)) {
    options[name] = parseOption(name, value, where, others)
  }
  return options as Partial<Options>
}

function parseOption(
  name: string,
  value: unknown,
  where: string,
  others: readonly string[],
): unknown {
  if (name === 'files') return parseFiles(value, where)
  if (name === 'cgroup') return parseCgroup(value, where)
  if (!Object.hasOwn(CHOICES, name)) {
    const names = [...Object.keys(DEFAULT_OPTIONS), ...others].sort().join(', ')
    throw new RangeError(`Cannot use option ${quote(name)} in ${where}: it must be one of ${names}`)
  }
  const choices: readonly unknown[] = CHOICES[name as keyof Choices]
  if (choices.includes(value)) return value
  throw refuse(name, value, where, choices.join(' or '))
}

/** Files are a list, or names with commas between them; `meminfo`, `proc/meminfo` and `/proc/meminfo` are the same. */
function parseFiles(value: unknown, where: string): FilePath[] {
  const names = typeof value === 'string' ? value.split(',').map(name => name.trim()) : value
  if (!Array.isArray(names)) throw refuse('files', value, where, 'a list of files')
  const paths = new Set<FilePath>()
  for (const name of names) {
    const path = findFile(name)
    if (path === undefined) {
      throw refuse('files', name, where, `some of ${FILE_PATHS.join(', ')}`)
    }
    paths.add(path)
  }
  return [...paths]
}

function parseCgroup(value: unknown, where: string): Options['cgroup'] {
  if (value === 'auto') return value
  if (isCgroupPath(value)) return value
  throw refuse('cgroup', value, where, 'auto or an absolute path below the hierarchy, without ..')
}

function isCgroupPath(value: unknown): value is `/${string}` {
  if (typeof value !== 'string' || !value.startsWith('/') || value.includes('\0')) return false
  return (
    value === '/' ||
    value
      .slice(1)
      .split('/')
      .every(part => !['', '.', '..'].includes(part))
  )
}

function refuse(name: string, value: unknown, where: string, allowed: string): RangeError {
  return new RangeError(`Cannot use ${name} ${quote(value)} in ${where}: it must be ${allowed}`)
}
