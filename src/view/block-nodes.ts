/**
 * The block devices' nodes in a container's /dev, which the container can change at any moment, mounts
 * included. So no symbolic link is followed, no device or fifo is opened, and nothing on a file system
 * that could make us wait is asked for anything: open(2) with O_PATH tells only what the kernel knows.
 */

import { closeSync, constants, fstatSync, opendirSync, openSync } from 'node:fs'
import { splitDevice } from '../host/device-number.ts'
import { mountIdOf, O_PATH } from '../host/open-path.ts'
import type { DeviceNumber } from '../proc/disk/counters.ts'

interface NamedDevice extends DeviceNumber {
  /** Path below the directory that is listed. */
  name: string
}

/** Tells from the container's mounts what may be looked at. */
export interface Trust {
  /** Whether the mount with this id, as in mountinfo, is of a file system that answers by itself. */
  isLocal(mountId: number): boolean
  /** Whether something is mounted on the file of that path below the directory. */
  isMountPoint(name: string): boolean
}

const DEEPEST = 3
const MOST_ENTRIES = 4096
/**
 * All directories together may be this large: each may be read whole before its first entry is seen. tmpfs takes 20
 * bytes for an entry.
 */
const MOST_DIRECTORY_BYTES = 2 ** 20
/** All names together may be this long: one may have 767 bytes, and all are written down. */
const MOST_NAME_BYTES = 64 * 1024

/** These directories hold no devices, but many other files. */
const SKIPPED = new Set(['pts', 'shm', 'mqueue', 'fd'])

/** The block devices' nodes below `directory`; none when it cannot be read. */
export function listBlockNodes(directory: string, trust: Trust): NamedDevice[] {
  const walk: Walk = {
    trust,
    nodes: [],
    entriesLeft: MOST_ENTRIES,
    bytesLeft: MOST_DIRECTORY_BYTES,
    nameBytesLeft: MOST_NAME_BYTES,
  }
  visit(walk, directory, '', 0)
  return walk.nodes
}

interface Walk {
  readonly trust: Trust
  readonly nodes: NamedDevice[]
  entriesLeft: number
  bytesLeft: number
  nameBytesLeft: number
}

function visit(walk: Walk, path: string, name: string, depth: number): void {
  withDescriptor(path, fd => {
    if (!walk.trust.isLocal(mountIdOf(fd))) return
    const stat = fstatSync(fd)
    if (stat.isBlockDevice()) {
      add(walk, { name, ...splitDevice(stat.rdev) })
    } else if (stat.isDirectory() && depth < DEEPEST) {
      walk.bytesLeft -= stat.size
      if (walk.bytesLeft >= 0) visitEntries(walk, `/proc/self/fd/${fd}`, name, depth)
    }
  })
}

/** A name that is too long hides none of the shorter ones behind it. */
function add(walk: Walk, node: NamedDevice): void {
  const bytes = Buffer.byteLength(node.name)
  if (bytes > walk.nameBytesLeft) return
  walk.nameBytesLeft -= bytes
  walk.nodes.push(node)
}

/** Directories are visited last, so that a full one hides none of the nodes beside it. */
function visitEntries(walk: Walk, path: string, name: string, depth: number): void {
  const nodes: string[] = []
  const directories: string[] = []
  const directory = opendirSync(path)
  try {
    while (walk.entriesLeft > 0) {
      const entry = directory.readSync()
      if (entry === null) break
      walk.entriesLeft--
      if (depth === 0 && SKIPPED.has(entry.name)) continue
      // A runtime without the right to make nodes binds the host's nodes onto files.
      if (entry.isBlockDevice() || walk.trust.isMountPoint(join(name, entry.name))) {
        nodes.push(entry.name)
      } else if (entry.isDirectory()) {
        directories.push(entry.name)
      }
    }
  } finally {
    directory.closeSync()
  }
  for (const entry of [...nodes, ...directories]) {
    visit(walk, `${path}/${entry}`, join(name, entry), depth + 1)
  }
}

/** A file that is gone by now, or was exchanged for something else, is passed over. */
function withDescriptor(path: string, use: (fd: number) => void): void {
  let fd: number | undefined
  try {
    fd = openSync(path, O_PATH | constants.O_NOFOLLOW)
    use(fd)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

const join = (directory: string, entry: string) =>
  directory === '' ? entry : `${directory}/${entry}`
