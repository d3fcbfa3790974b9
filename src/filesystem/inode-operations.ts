/** Operations on names: what there is, and with which attributes. */

import type { DescribeEntry } from '../fuse/dirent.ts'
import { ENOENT, ENOTDIR, ESTALE } from '../fuse/errno.ts'
import { Attr, AttrOut, EntryOut, FUSE_GETATTR_FH } from '../fuse/protocol.ts'
import type { Reply } from '../fuse/reply.ts'
import type { Request } from '../fuse/request.ts'
import type { Backend } from './backend.ts'
import { renderText } from './file-operations.ts'
import { isNumbered } from './node-numbers.ts'
import * as sysfs from './sysfs-operations.ts'
import { findChild, findPlace, isContainers, rootOfSlot, slotOf } from './tree.ts'

const S_IFDIR = 0o040000
const S_IFREG = 0o100000

/**
 * The kernel may hold entries and attributes for this long: nothing in the tree ever changes but the containers that
 * come and go.
 */
const LONG_SECONDS = 3600

/** The size that the kernel keeps for each file. Any size above 0 will do; `getattr` says why. */
const KERNEL_SIZE = 4096

export function lookup(backend: Backend, request: Request, reply: Reply): number {
  const { nodeid: parent } = request.header
  if (isNumbered(parent)) return sysfs.lookup(backend, request, reply)
  const place = findPlace(parent)
  if (place === undefined) return -ESTALE
  if (place.file !== undefined) return -ENOTDIR
  const nodeid = child(backend, request)
  if (nodeid === undefined) {
    const { path } = place
    if (!backend.sysfs.has(path)) return -ENOENT
    return sysfs.lookupEntry(backend, request, reply, { slot: slotOf(parent), path })
  }
  reply.clear(EntryOut.size + Attr.size)
  describer(backend)(nodeid, reply.entry, reply.entryAttr)
  return EntryOut.size + Attr.size
}

/** Returns `undefined` when there is no such node. A caller who has no right to see the node is told the same. */
function child(backend: Backend, request: Request): number | undefined {
  const { nodeid, pid, uid } = request.header
  if (!isContainers(nodeid)) return findChild(nodeid, request.name, backend.offered)
  if (!backend.isHostRoot(pid, uid)) return undefined
  const slot = backend.findSlot(request.name)
  return slot === undefined ? undefined : rootOfSlot(slot)
}

/** Returns a function that fills in an entry which the kernel will hold, and counts that it does. */
export function describer(backend: Backend): DescribeEntry {
  return (nodeid, entry, attr) => {
    // An entry of which nothing is said is looked up when it is needed.
    if (isNumbered(nodeid)) return
    backend.retain(slotOf(nodeid))
    entry.nodeid = nodeid
    // A container may be forgotten, and not everybody may look for one, so the kernel has to ask again each time.
    entry.entryValid = nodeid === rootOfSlot(slotOf(nodeid)) ? 0 : LONG_SECONDS
    fillAttributes(backend, nodeid, attr)
    if (findPlace(nodeid)?.file !== undefined) attr.size = KERNEL_SIZE
  }
}

/**
 * stat(2) shows size 0, like procfs. Inside, the kernel keeps a size above 0: with 0, sendfile(2) and splice(2)
 * would end at once without a word (filemap_splice_read, since Linux 6.5, knows no direct I/O). fstat(2) and lseek(2)
 * get the size of the text that the next read gives, so that tail(1) finds the end.
 */
export function getattr(backend: Backend, request: Request, reply: Reply): number {
  const { nodeid, pid } = request.header
  if (isNumbered(nodeid)) return sysfs.getattr(backend, request, reply)
  const place = findPlace(nodeid)
  if (place === undefined) return -ESTALE
  const { file } = place
  reply.clear(AttrOut.size + Attr.size)
  fillAttributes(backend, nodeid, reply.attrAttr)
  const { getattrFlags, fh } = request.getattr
  if (file === undefined) {
    reply.attr.attrValid = LONG_SECONDS
  } else if ((getattrFlags & FUSE_GETATTR_FH) === 0) {
    reply.passing = nodeid
  } else {
    const render = () => renderText(backend, file, nodeid, pid)
    const text = backend.handles.preview(fh, nodeid, render)
    reply.attrAttr.size = text.length
  }
  return AttrOut.size + Attr.size
}

function fillAttributes(
  backend: Backend,
  nodeid: number,
  attr: ReturnType<typeof Attr.over>,
): void {
  const file = findPlace(nodeid)?.file
  attr.ino = nodeid
  attr.mode = file === undefined ? S_IFDIR | 0o555 : S_IFREG | file.mode
  attr.nlink = file === undefined ? 2 : 1
  attr.atime = backend.mountTime
  attr.mtime = backend.mountTime
  attr.ctime = backend.mountTime
  attr.blksize = 4096
}
