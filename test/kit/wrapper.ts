/** The script procveil-runtime with other paths in it than those of an installed one. */

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../runtime/procveil-runtime', import.meta.url))

export interface WrapperPlaces {
  /** The shell that runs it; /bin/sh when missing. */
  shell?: string
  /** What it calls to add the hook. */
  executable: string
  /** What stands before the command of that. */
  options?: readonly string[]
  /** The file that names a runtime. */
  choice?: string
  /** The file of the runtime of the last container. */
  used?: string
  seconds?: number
}

/** Writes it to `path`. */
export function writeWrapper(path: string, places: WrapperPlaces): string {
  const {
    shell = '/bin/sh',
    executable,
    options = [],
    choice = '/nonexistent',
    used = '/nonexistent',
    seconds = 10,
  } = places
  const values: Readonly<Record<string, string>> = {
    pv_procveil: executable,
    pv_options: `'${options.join(' ')}'`,
    pv_choice: choice,
    pv_used: used,
    pv_seconds: String(seconds),
  }
  let text = readFileSync(SCRIPT, 'utf8').replace('#!/bin/sh', `#!${shell}`)
  for (const [name, value] of Object.entries(values)) {
    const line = new RegExp(`^${name}=.*$`, 'm')
    if (!line.test(text)) throw new Error(`Cannot set ${name} in ${SCRIPT}: it is not there`)
    text = text.replace(line, () => `${name}=${value}`)
  }
  writeFileSync(path, text)
  chmodSync(path, 0o755)
  return path
}
