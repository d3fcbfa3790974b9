/** Files of our own that other processes read while they are written anew. */

import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Writes a file that only root may read, in the place of an earlier one: a reader sees the old text or the new one,
 * whole. Throws the system's error, and then leaves the old file. The temporary name begins with a dot.
 */
export function replaceFile(path: string, text: string): void {
  const temporary = `${dirname(path)}/.${process.pid}.new`
  try {
    writeFileSync(temporary, text, { mode: 0o600 })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
