/** Directories by their names in an open directory: mkdirat(2), unlinkat(2). */

import { fstatSync } from 'node:fs'
import { SysError } from './error.ts'
import { cstring, errno, int, libc, pointer } from './libc.ts'

const AT_REMOVEDIR = 0x200
const EEXIST = 17
const ENOENT = 2
const ENOTEMPTY = 39

const calls = libc({
  mkdirat: { args: [int, pointer, int], returns: int },
  unlinkat: { args: [int, pointer, int], returns: int },
  setfsuid: { args: [int], returns: int },
  setfsgid: { args: [int], returns: int },
})

/**
 * Makes a directory that belongs to the owner of the one it lies in, and leaves one that is there. In a file system of
 * a user namespace nothing can be made by a user who is unknown there, as the host's root is.
 */
export function makeDirectory(parent: number, name: string, mode: number): void {
  const { uid, gid } = fstatSync(parent)
  const { mkdirat, setfsuid, setfsgid } = calls()
  // Both return the previous id, and count for this thread alone.
  const ownGid = setfsgid(gid)
  const ownUid = setfsuid(uid)
  const made = mkdirat(parent, cstring(name), mode) === 0
  const failure = made ? 0 : errno()
  setfsuid(ownUid)
  setfsgid(ownGid)
  if (!made && failure !== EEXIST)
    throw new SysError('mkdirat', failure, `make the directory ${name}`)
}

/** Removes a directory, if it is there and empty. */
export function removeDirectory(parent: number, name: string): void {
  if (calls().unlinkat(parent, cstring(name), AT_REMOVEDIR) === 0) return
  const failure = errno()
  if (failure !== ENOENT && failure !== ENOTEMPTY)
    throw new SysError('unlinkat', failure, `remove the directory ${name}`)
}
