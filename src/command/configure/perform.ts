/** What a command line of `procveil configure` asks for, done on a machine. */

import { resolve } from 'node:path'
import { configureRuntime } from './apply.ts'
import { isRuntime, RUNTIMES } from './names.ts'
import type { Site } from './site.ts'
import { undo } from './undo.ts'

export interface ConfigureOptions {
  dryRun?: boolean
  undo?: boolean
  setAsDefault?: boolean
  restart?: boolean
  runtimeConfig?: string
}

/** Throws when something cannot be written, or the daemon does not accept it. */
export function perform(site: Site, name: string | undefined, options: ConfigureOptions): void {
  const { dryRun = false, restart = false, setAsDefault = false, runtimeConfig } = options
  const known = `known are ${RUNTIMES.join(', ')}`
  if (name !== undefined && !isRuntime(name)) {
    throw new RangeError(`Cannot configure ${name}: it is no runtime that procveil knows; ${known}`)
  }
  if (options.undo) {
    undo(site, name, { dryRun, restart })
    return
  }
  if (name === undefined) {
    throw new RangeError(`Cannot configure a runtime: none is named; ${known}`)
  }
  const config = runtimeConfig === undefined ? undefined : resolve(runtimeConfig)
  configureRuntime(site, name, { dryRun, restart, setAsDefault, config })
}
