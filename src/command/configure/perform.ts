/** What a command line of `procveil configure` asks for, done on a machine. */

import { resolve } from 'node:path'
import { configureRuntime } from './apply.ts'
import { isRuntime, RUNTIMES, WITH_RUNTIMES } from './names.ts'
import type { Site } from './site.ts'
import { undo } from './undo.ts'

export interface ConfigureOptions {
  dryRun?: boolean
  undo?: boolean
  setAsDefault?: boolean
  asRuntime?: boolean
  restart?: boolean
  runtimeConfig?: string
}

/** Throws when something cannot be written, or the daemon does not accept it. */
export function perform(site: Site, name: string | undefined, options: ConfigureOptions): void {
  const { dryRun = false, restart = false, setAsDefault = false, asRuntime = false } = options
  const { runtimeConfig } = options
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
  if (asRuntime && !WITH_RUNTIMES.includes(name)) {
    throw new RangeError(
      `Cannot make procveil-runtime a runtime of ${name}: its hook is for all containers as it is; leave --as-runtime out`,
    )
  }
  const config = runtimeConfig === undefined ? undefined : resolve(runtimeConfig)
  configureRuntime(site, name, { dryRun, restart, setAsDefault, asRuntime, config })
}
