/** Finds out whether something can be written to a place, by writing: what statfs(2) says of room is a guess. */

import { closeSync, constants, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Host, orUndefined } from '../../host/host.ts'
import { findMountAround } from '../../host/mountinfo.ts'
import { errorCode } from '../../sys/error.ts'

/** Writes so many bytes into a file of its own, which is removed at once. Throws the system's error. */
export function writeInto(directory: string, bytes: number): void {
  const file = `${directory}/.procveil-doctor.${process.pid}`
  try {
    writeFileSync(file, Buffer.alloc(bytes), { mode: 0o600, flag: 'wx' })
  } finally {
    rmSync(file, { force: true })
  }
}

/** Opens a file that is there for writing, and leaves it as it is. Throws the system's error. */
export function openToAppend(file: string): void {
  closeSync(openSync(file, constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK))
}

/** The path, or the nearest one above it that is there: what is missing below would be made. */
export function nearestThere(path: string): string {
  const found = orUndefined(() => statSync(path))
  return found === undefined && path !== '/' ? nearestThere(dirname(path)) : path
}

/** Names the file system that a path lies on, and why nothing can be written: `/run (tmpfs): ENOSPC`. */
export function describePlace(host: Host, path: string, error: unknown): string {
  const mount = findMountAround(host.tryRead('proc/self/mountinfo') ?? '', path)
  const where = mount === undefined ? path : `${mount.mountPoint} (${mount.fsType})`
  return `${where}: ${errorCode(error) ?? error}`
}
