/** Operations on what is in directories of sysfs: nodes that tree.ts does not know, by the paths of node-numbers.ts. */

import type { DirectoryEntry } from '../fuse/dirent.ts'
import { EACCES, EINVAL, EIO, EISDIR, ENOENT, ENOTDIR, ESTALE } from '../fuse/errno.ts'
import {
  Attr,
  AttrOut,
  EntryOut,
  FOPEN_DIRECT_IO,
  FOPEN_NOFLUSH,
  OpenOut,
} from '../fuse/protocol.ts'
import type { Reply } from '../fuse/reply.ts'
import type { Request } from '../fuse/request.ts'
import { findSysDirectory } from '../proc/sysfs/directories.ts'
import type { View } from '../proc/view.ts'
import type { Backend } from './backend.ts'
import type { Node } from './node-numbers.ts'
import { isName } from './node-table.ts'
import { GONE, type SysEntry } from './sysfs.ts'
import { type TextMaker, writeText } from './text-reply.ts'

const S_IFDIR = 0o040000
const S_IFREG = 0o100000
const S_IFLNK = 0o120000
const MODES = { directory: S_IFDIR, file: S_IFREG, link: S_IFLNK } as const

/**
 * The kernel may hold entries and attributes for this long. What goes with a CPU is looked up at its directory, for which
 * the kernel asks each time.
 */
const VALID_SECONDS = 60

/** Of each file, as on sysfs: fs/sysfs/file.c. */
const FILE_SIZE = 4096

const O_ACCMODE = 3
const X_OK = 1
const W_OK = 2

/** Finds `name` in a directory of a view. */
export function lookupEntry(
  backend: Backend,
  request: Request,
  reply: Reply,
  { slot, path: parent }: Node,
): number {
  const { name } = request
  if (!isName(name)) return -ENOENT
  const view = viewOf(backend, slot, request)
  const path = `${parent}/${name}`
  const entry = backend.sysfs.find(path, view)
  if (entry === undefined) return -ENOENT
  const nodeid = backend.nodes.numberOf(slot, path)
  if (nodeid === undefined) return -EIO
  backend.retain(slot)
  reply.clear(EntryOut.size + Attr.size)
  reply.entry.nodeid = nodeid
  reply.entry.entryValid = entry.isFleeting ? 0 : VALID_SECONDS
  reply.entry.attrValid = VALID_SECONDS
  fillAttributes(backend, reply.entryAttr, { nodeid, path, entry, view })
  return EntryOut.size + Attr.size
}

/** Lists a directory of a view. What has no number, since there is no room for one, is left out. */
export function listEntries(backend: Backend, request: Request, node: Node): DirectoryEntry[] {
  const { slot, path } = node
  return backend.sysfs.list(path, viewOf(backend, slot, request)).flatMap(({ name, kind }) => {
    const nodeid = backend.nodes.numberOf(slot, `${path}/${name}`)
    if (nodeid === undefined) return []
    return [{ name, nodeid, directory: kind === 'directory', link: kind === 'link' }]
  })
}

export function lookup(backend: Backend, request: Request, reply: Reply): number {
  const node = backend.nodes.find(request.header.nodeid)
  return node === undefined ? -ESTALE : lookupEntry(backend, request, reply, node)
}

export function getattr(backend: Backend, request: Request, reply: Reply): number {
  const seen = see(backend, request)
  if (typeof seen === 'number') return seen
  reply.clear(AttrOut.size + Attr.size)
  reply.attr.attrValid = VALID_SECONDS
  fillAttributes(backend, reply.attrAttr, { nodeid: request.header.nodeid, ...seen })
  return AttrOut.size + Attr.size
}

export function access(backend: Backend, request: Request): number {
  const seen = see(backend, request)
  if (typeof seen === 'number') return seen
  const { mask } = request.access
  if ((mask & W_OK) !== 0) return -EACCES
  return seen.entry.kind === 'file' && (mask & X_OK) !== 0 ? -EACCES : 0
}

export function open(backend: Backend, request: Request, reply: Reply): number {
  const seen = see(backend, request)
  if (typeof seen === 'number') return seen
  if (seen.entry.kind === 'directory') return -EISDIR
  if (seen.entry.kind === 'link') return -EINVAL
  if ((request.open.flags & O_ACCMODE) !== 0) return -EACCES
  reply.clear(OpenOut.size)
  reply.open.fh = backend.handles.open(request.header.nodeid)
  reply.open.openFlags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH
  return OpenOut.size
}

export function read(backend: Backend, request: Request, reply: Reply): number {
  const node = backend.nodes.find(request.header.nodeid)
  if (node === undefined) return -ESTALE
  const start = performance.now()
  const make: TextMaker = () => {
    const view = viewOf(backend, node.slot, request)
    return backend.sysfs.read(node.path, view) ?? GONE
  }
  const result = writeText(backend, request, reply, make)
  const directory = findSysDirectory(node.path)?.directory.path
  if (directory !== undefined) backend.count(directory, (performance.now() - start) / 1000)
  return result
}

export function readlink(backend: Backend, request: Request, reply: Reply): number {
  const node = backend.nodes.find(request.header.nodeid)
  if (node === undefined) return -ESTALE
  const text = backend.sysfs.link(node.path, viewOf(backend, node.slot, request))
  if (text === undefined) return -ENOENT
  return Buffer.from(text).copy(reply.buffer, reply.start)
}

export function opendir(backend: Backend, request: Request, reply: Reply): number {
  const seen = see(backend, request)
  if (typeof seen === 'number') return seen
  if (seen.entry.kind !== 'directory') return -ENOTDIR
  reply.clear(OpenOut.size)
  reply.open.fh = backend.handles.open(request.header.nodeid)
  return OpenOut.size
}

interface Seen {
  path: string
  entry: SysEntry
  view: View | undefined
}

/** What a request's node is for its container at this moment, or a negative errno. */
function see(backend: Backend, request: Request): Seen | number {
  const node = backend.nodes.find(request.header.nodeid)
  if (node === undefined) return -ESTALE
  const { path } = node
  const view = viewOf(backend, node.slot, request)
  const entry = backend.sysfs.find(path, view)
  return entry === undefined ? -ENOENT : { path, entry, view }
}

function viewOf(backend: Backend, slot: number, request: Request): View | undefined {
  return slot === 0 ? backend.ofCaller(request.header.pid) : backend.ofSlot(slot)
}

function fillAttributes(
  backend: Backend,
  attr: ReturnType<typeof Attr.over>,
  { nodeid, path, entry, view }: Seen & { nodeid: number },
): void {
  attr.ino = nodeid
  attr.mode = MODES[entry.kind] | entry.mode
  attr.nlink = entry.kind === 'directory' ? 2 : 1
  if (entry.kind === 'file') attr.size = FILE_SIZE
  if (entry.kind === 'link') attr.size = Buffer.byteLength(backend.sysfs.link(path, view) ?? '')
  attr.atime = backend.mountTime
  attr.mtime = backend.mountTime
  attr.ctime = backend.mountTime
  attr.blksize = 4096
}
