/**
 * Parses the command line of a hook, without the library that parses all others: a runtime starts one hook for each
 * container and waits for it.
 */

import { basename } from 'node:path'
import { DEFAULT_SETTINGS, resolveSettings, type Settings } from '../service/settings.ts'

const OPTIONS: Readonly<Record<string, keyof Settings>> = {
  '--mountpoint': 'mountPoint',
  '--run-dir': 'runDirectory',
  '--config': 'config',
  '--log': 'log',
}

/**
 * Returns the arguments that procveil understands. Called as `lxcfs-hook`, by a symlink of that name, this executable
 * is the hook of the old tools, which knows `--log` alone. The words of `isulad-lxcfs-toolkit` and `lxcfs-tools` are
 * our own.
 */
export function argumentsOf(calledAs: string, args: readonly string[]): readonly string[] {
  return basename(calledAs) === 'lxcfs-hook' ? [...args, 'hook'] : args
}

/** Returns `undefined` when `args` is not exactly a hook's command line, which is then left to the full parser. */
export function parseHookArguments(
  args: readonly string[],
): { settings: Settings; strict: boolean } | undefined {
  const settings: Settings = { ...DEFAULT_SETTINGS }
  let at = 0
  for (; args[at]?.startsWith('--'); at++) {
    const [name = '', ...rest] = (args[at] ?? '').split('=')
    const setting = OPTIONS[name]
    const value = rest.length > 0 ? rest.join('=') : args[++at]
    if (setting === undefined || value === undefined) return undefined
    settings[setting] = value
  }
  if (args[at] !== 'hook') return undefined
  const options = args.slice(at + 1)
  if (options.some(option => option !== '--strict')) return undefined
  return { settings: resolveSettings(settings), strict: options.length > 0 }
}
