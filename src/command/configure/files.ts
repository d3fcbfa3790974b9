/** Text files of others: read as they are, and written in place, with the mode and the owner that they have. */

import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname } from 'node:path'
import { type Host, orUndefined, realPath } from '../../host/host.ts'

/** `undefined` where there is no such file. Throws for one that cannot be read, and for one that is no text. */
export function readText(host: Host, path: string): string | undefined {
  const file = host.path(path.slice(1))
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch (error) {
    if (!isAbsence(error)) throw new Error(`Cannot read ${path}`, { cause: error })
    if (orUndefined(() => lstatSync(file)) === undefined) return undefined
    throw new Error(`Cannot read ${path}: it is a symbolic link to nothing; remove it first`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new SyntaxError(`Cannot read ${path}: it is no text in UTF-8`)
  }
}

/**
 * Writes a file, that of a symbolic link in its place. A reader, also one after a crash, sees the old text or the new
 * one, whole. Throws an error, and then leaves the old file.
 */
export function writeText(host: Host, path: string, text: string): void {
  const file = realPath(host.path(path.slice(1)))
  const temporary = `${dirname(file)}/.${basename(file)}.procveil-${process.pid}`
  try {
    const old = orUndefined(() => statSync(file))
    const fd = openSync(temporary, 'wx', 0o600)
    try {
      writeFileSync(fd, text)
      if (old !== undefined) chownSync(temporary, old.uid, old.gid)
      fchmodSync(fd, old === undefined ? 0o644 : old.mode & 0o7777)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, file)
  } catch (cause) {
    orUndefined(() => rmSync(temporary, { force: true }))
    throw new Error(`Cannot write ${path}`, { cause })
  }
}

export function removeText(host: Host, path: string): void {
  try {
    rmSync(host.path(path.slice(1)))
  } catch (cause) {
    throw new Error(`Cannot remove ${path}`, { cause })
  }
}

/** Removes directories, the deepest first, up to one that holds something. */
export function removeDirectories(host: Host, directories: readonly string[]): void {
  for (const directory of directories) {
    if (orUndefined(() => rmdirSync(host.path(directory.slice(1))) ?? true) === undefined) return
  }
}

/** The directories above a file that are not there, the deepest first. */
export function missingDirectories(host: Host, path: string): string[] {
  const missing: string[] = []
  for (let at = dirname(path); at !== '/' && !host.has(at.slice(1)); at = dirname(at)) {
    missing.push(at)
  }
  return missing
}

export function makeDirectories(host: Host, directories: readonly string[]): void {
  for (const directory of directories.toReversed()) {
    mkdirSync(host.path(directory.slice(1)), { recursive: true, mode: 0o755 })
  }
}

const isAbsence = (error: unknown) =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
