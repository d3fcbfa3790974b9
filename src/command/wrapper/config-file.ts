/** The config.json of a bundle, read and replaced where root alone can have written it. */

import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs'
import { MAX_CONFIG_BYTES } from '../../oci/bundle.ts'

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants

/**
 * Replaces a file by what `edit` makes of its text, in which each byte is a character. Its owner and mode stay, and who
 * reads it meanwhile sees the old text or the new one, whole. Nothing happens where `edit` returns `undefined`. The
 * directory may be another user's, as podman's is for a container whose root is one: the file is root's all the same, and
 * has no other name. Throws the system's error, that of `edit`, and one for a file that is another's, too large or none.
 */
export function editConfig(
  directory: string,
  name: string,
  edit: (text: string) => string | undefined,
): void {
  const directoryFd = openSync(directory, O_RDONLY | O_DIRECTORY)
  // A directory that is moved meanwhile is still the one that was looked at.
  const place = `/proc/self/fd/${directoryFd}`
  try {
    const file = openSync(`${place}/${name}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const status = fstatSync(file)
      if (status.uid !== 0) throw new Error(`it belongs to user ${status.uid}, not to root`)
      if (status.nlink > 1 && fstatSync(directoryFd).uid !== 0) {
        throw new Error(`it has ${status.nlink} names, and its directory is not root's`)
      }
      const text = edit(readAll(file, status))
      if (text !== undefined) replace(place, name, text, status)
    } finally {
      closeSync(file)
    }
  } finally {
    closeSync(directoryFd)
  }
}

function readAll(fd: number, status: Stats): string {
  if (!status.isFile()) throw new Error('it is no regular file')
  if (status.size > MAX_CONFIG_BYTES) {
    throw new RangeError(`it has ${status.size} bytes, and at most ${MAX_CONFIG_BYTES} are read`)
  }
  return readFileSync(fd, 'latin1')
}

function replace(place: string, name: string, text: string, { uid, gid, mode }: Stats): void {
  const temporary = `${place}/.${name}.procveil-${process.pid}`
  const fd = openSync(temporary, 'wx', 0o600)
  try {
    writeFileSync(fd, text, 'latin1')
    fchownSync(fd, uid, gid)
    fchmodSync(fd, mode & 0o7777)
    renameSync(temporary, `${place}/${name}`)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}
