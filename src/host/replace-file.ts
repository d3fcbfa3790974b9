/** Files of our own that other processes read while they are written anew. */

import {
  closeSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
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

/**
 * The same for a file that has to be written also where there is no room for another one: then the earlier one is written
 * over, and a reader may for a moment see neither text.
 */
export function replaceFileAnyhow(path: string, text: string): void {
  try {
    replaceFile(path, text)
  } catch (error) {
    if (!tryOverwrite(path, text)) throw error
  }
}

/** Returns false where there is no such file, or it cannot be written either. */
function tryOverwrite(path: string, text: string): boolean {
  try {
    const fd = openSync(path, 'r+')
    try {
      const bytes = Buffer.from(text)
      if (writeSync(fd, bytes, 0, bytes.length, 0) !== bytes.length) return false
      ftruncateSync(fd, bytes.length)
      return true
    } finally {
      closeSync(fd)
    }
  } catch {
    return false
  }
}
