/** Reads files that a runtime wrote, or is writing, or that somebody put there. A file is read whole or not at all. */

import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Host, orUndefined } from '../host/host.ts'
import { type Fields, objectOf, tryParseJson } from '../host/json.ts'

/**
 * The largest file that is read: state of a runtime, a bundle's config.json. A runc state with a thousand mounts has
 * 1 MiB. A user may have written the file, so that root waits for what it takes to parse.
 */
const MAX_BYTES = 4 * 2 ** 20

interface StateFile {
  text: string
  /** The user who could have written the file; not 0 when anyone but root could have. */
  ownerUid: number
}

/** Returns `undefined` for what is no regular file, is too large or cannot be read. */
export function readStateFile(host: Host, path: string): StateFile | undefined {
  return orUndefined(() => read(host.path(path)))
}

/** Returns the uid of a directory's owner; `undefined` when the directory is gone. */
export function readOwner(host: Host, path: string): number | undefined {
  return orUndefined(() => statSync(host.path(path)).uid)
}

export interface StateFields {
  fields: Fields
  ownerUid: number
}

/**
 * Returns the fields of a file that holds a JSON object; `undefined` for what `readStateFile` refuses, and for other
 * text.
 */
export function readStateFields(host: Host, path: string): StateFields | undefined {
  const file = readStateFile(host, path)
  const fields = file === undefined ? undefined : objectOf(tryParseJson(file.text))
  return file === undefined || fields === undefined
    ? undefined
    : { fields, ownerUid: file.ownerUid }
}

/** A link may lead anywhere, and opening a pipe without O_NONBLOCK waits for a writer. */
function read(path: string): StateFile | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const status = fstatSync(fd)
    if (!status.isFile() || status.size > MAX_BYTES) return undefined
    const text = readText(fd, status.size)
    return { text, ownerUid: status.uid || statSync(dirname(path)).uid }
  } finally {
    closeSync(fd)
  }
}

function readText(fd: number, sizeBytes: number): string {
  const buffer = Buffer.allocUnsafe(sizeBytes)
  let length = 0
  while (length < sizeBytes) {
    const size = readSync(fd, buffer, length, sizeBytes - length, length)
    if (size === 0) break
    length += size
  }
  return buffer.toString('utf8', 0, length)
}
