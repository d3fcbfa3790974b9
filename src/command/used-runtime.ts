/**
 * The runtime behind procveil-runtime, as long as the machine runs: no runtime knows another one's containers, so those
 * that run have to be asked of the one that made them.
 */

import { readFileSync } from 'node:fs'
import { replaceFile } from '../host/replace-file.ts'

/** Writes its path into `file`, where that says something else. Throws the system's error. */
export function rememberRuntime(file: string, runtime: string): void {
  if (file === '' || runtime === '') return
  const text = `${runtime}\n`
  if (tryRead(file) !== text) replaceFile(file, text)
}

function tryRead(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
