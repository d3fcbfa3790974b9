/**
 * `procveil runtime-hooks EXECUTABLE BUNDLE CONFIG RUNTIME USED`: adds the hook to the config.json of a container that is
 * about to be created by a runtime, which a file remembers. The script procveil-runtime calls it, and a person has no need
 * to.
 *
 * What goes wrong is printed in one line, as JSON has it between quotes: the script puts it into the runtime's log.
 */

import { accessSync, constants, readFileSync, writeSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { DEFAULT_SETTINGS } from '../service/default-settings.ts'
import { describe, Log } from '../sys/log.ts'
import { type FastCommand, OPTIONS } from './arguments.ts'
import { guardedHookOf } from './hooks/entry.ts'
import { rememberRuntime } from './used-runtime.ts'
import { addToConfig, type Hooks } from './wrapper/add-to-config.ts'
import { editConfig } from './wrapper/config-file.ts'

/** Returns the exit status: 1 when the hook could not be added. */
export function runtimeHooks({ settings, operands }: FastCommand): number {
  const [executable = '', bundle = '', config = '', runtime = '', used = ''] = operands
  // A user's container is started with what that user may do, which is not enough for the hook.
  if (process.geteuid?.() !== 0 || !isFirstUserNamespace()) return 0
  // crun takes this one name as one in the bundle.
  const isInBundle = config === '' || config === 'config.json'
  const path = isInBundle ? resolve(bundle, 'config.json') : resolve(config)
  const log = new Log('runtime-hooks', settings.log)
  try {
    rememberRuntime(used, runtime)
  } catch (cause) {
    log.warning(describe(new Error(`Cannot note in ${used} what runs containers`, { cause })))
  }
  try {
    const hooks = hooksOf(executable, settings)
    editConfig(dirname(path), basename(path), text => addToConfig(text, hooks))
    return 0
  } catch (cause) {
    const error = new Error(`Cannot add the hook to ${path}`, { cause })
    log.warning(describe(error))
    writeSync(1, JSON.stringify(describe(error)).slice(1, -1))
    return 1
  }
}

/** A bundle may be used again when the executable is gone. */
function hooksOf(executable: string, settings: FastCommand['settings']): Hooks {
  accessSync(executable, constants.X_OK)
  const options = Object.entries(OPTIONS).flatMap(([option, key]) => {
    const value = settings[key]
    return value === undefined || value === DEFAULT_SETTINGS[key] ? [] : [option, resolve(value)]
  })
  const hook = guardedHookOf(executable, options)
  return { createRuntime: hook, poststop: hook }
}

/** Root in a namespace of a user's has the whole of that alone. */
const isFirstUserNamespace = (): boolean =>
  /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'))
