/**
 * Parses the command lines of a hook, of a worker and of procveil-runtime, without the library that parses all others: a
 * runtime starts one hook for each container and waits for it. So this file and what it imports load nothing of node:.
 */

import { DEFAULT_SETTINGS, type Settings } from '../service/default-settings.ts'

/** The options that stand before a command, with what they set. */
export const OPTIONS: Readonly<Record<string, keyof Settings>> = {
  '--mountpoint': 'mountPoint',
  '--run-dir': 'runDirectory',
  '--config': 'config',
  '--log': 'log',
}

const OLD_NAME = 'lxcfs-hook'

/**
 * Returns the arguments that procveil understands. Called as `lxcfs-hook`, by a symlink of that name, this executable
 * is the hook of the old tools, which knows `--log` alone. The words of `isulad-lxcfs-toolkit` and `lxcfs-tools` are
 * our own.
 */
export function argumentsOf(calledAs: string, args: readonly string[]): readonly string[] {
  // A regular expression would take the hook a MiB of memory.
  const isOld = calledAs === OLD_NAME || calledAs.endsWith(`/${OLD_NAME}`)
  return isOld ? [...args, 'hook'] : args
}

/** The commands that are parsed here: many of their processes are started, or somebody waits for each. */
export interface FastCommand {
  name: 'hook' | 'worker' | 'runtime-hooks'
  /** As they were given: relative paths are not made absolute yet. */
  settings: Settings
  strict: boolean
  /** Whether a hook does all by itself, for the hook that watches over it. */
  direct: boolean
  /** After so long a hook ends, with or without the files; `undefined` for the usual time. */
  timeoutSeconds: number | undefined
  /** What procveil-runtime says of a container. */
  operands: readonly string[]
}

const OPERANDS = 5

const SECONDS = /^\d{1,4}(\.\d{1,3})?$/

/** Returns `undefined` when `args` is not exactly such a command's line, which is then left to the full parser. */
export function parseFastCommand(args: readonly string[]): FastCommand | undefined {
  const settings: Settings = { ...DEFAULT_SETTINGS }
  let at = 0
  for (; args[at]?.startsWith('--'); at++) {
    const [name = '', ...rest] = (args[at] ?? '').split('=')
    const setting = OPTIONS[name]
    const value = rest.length > 0 ? rest.join('=') : args[++at]
    if (setting === undefined || value === undefined) return undefined
    settings[setting] = value
  }
  const name = args[at]
  if (name !== 'hook' && name !== 'worker' && name !== 'runtime-hooks') return undefined
  const command: FastCommand = {
    name,
    settings,
    strict: false,
    direct: false,
    timeoutSeconds: undefined,
    operands: [],
  }
  if (name === 'runtime-hooks') {
    command.operands = args.slice(at + 1)
    return command.operands.length === OPERANDS ? command : undefined
  }
  return parseHookOptions(command, args.slice(at + 1)) ? command : undefined
}

/** Returns false for what is no option of the command, or has no value that it can have. */
function parseHookOptions(command: FastCommand, options: readonly string[]): boolean {
  if (command.name !== 'hook') return options.length === 0
  const left = options.flatMap(option => option.split('='))
  for (let option = left.shift(); option !== undefined; option = left.shift()) {
    if (option === '--strict') command.strict = true
    else if (option === '--direct') command.direct = true
    else if (option === '--timeout' && SECONDS.test(left[0] ?? '')) {
      command.timeoutSeconds = Number(left.shift())
    } else return false
  }
  return true
}
