/** Operations on open files and directories. */

import { type DescribeEntry, type DirectoryEntry, writeDirectory } from '../fuse/dirent.ts'
import { EACCES, EISDIR, ENOTDIR, ESTALE, LATER } from '../fuse/errno.ts'
import { FOPEN_DIRECT_IO, FOPEN_NOFLUSH, OpenOut } from '../fuse/protocol.ts'
import type { Reply } from '../fuse/reply.ts'
import type { Request } from '../fuse/request.ts'
import type { FilePath } from '../proc/paths.ts'
import type { View } from '../proc/view.ts'
import type { Backend } from './backend.ts'
import { isNumbered } from './node-numbers.ts'
import * as sysfs from './sysfs-operations.ts'
import { writeText } from './text-reply.ts'
import {
  findPlace,
  isContainers,
  isProcFile,
  listChildren,
  rootOfSlot,
  type ServedFile,
  slotOf,
} from './tree.ts'

const O_ACCMODE = 3
const W_OK = 2
const X_OK = 1
const R_OK = 4
const S_IROTH = 4

export function open(backend: Backend, request: Request, reply: Reply): number {
  const { nodeid, pid } = request.header
  if (isNumbered(nodeid)) return sysfs.open(backend, request, reply)
  const place = findPlace(nodeid)
  if (place === undefined) return -ESTALE
  if (place.file === undefined) return -EISDIR
  if ((request.open.flags & O_ACCMODE) !== 0 || !mayRead(place.file, request)) return -EACCES
  const isOfDevices = OF_DEVICES.has(place.file.path)
  if (isOfDevices && request.mayWait && backend.isAwaited(viewOf(backend, nodeid, pid)))
    return LATER
  const fh = backend.handles.open(nodeid)
  if (backend.isInLoop(pid)) {
    const { file } = place
    // The request's buffer may be another's when the text is rendered.
    const render = () => renderText(backend, file, nodeid, pid)
    backend.prepare(() => backend.handles.preview(fh, nodeid, render, PREPARED_USEC))
  }
  reply.clear(OpenOut.size)
  reply.open.fh = fh
  reply.open.openFlags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH
  return OpenOut.size
}

/**
 * A text that is rendered after OPEN may be given to its reader for this long: a reader that has opened a file asks
 * for the text within this time.
 */
const PREPARED_USEC = 100

export function read(backend: Backend, request: Request, reply: Reply): number {
  if (isNumbered(request.header.nodeid)) return sysfs.read(backend, request, reply)
  const file = findPlace(request.header.nodeid)?.file
  if (file === undefined) return -ESTALE
  if (request.read.offset === 0 && isAwaited(backend, request, file)) return LATER
  const start = performance.now()
  const result = readFile(backend, request, reply, file)
  backend.count(file.path, (performance.now() - start) / 1000)
  return result
}

function readFile(backend: Backend, request: Request, reply: Reply, file: ServedFile): number {
  const { nodeid, pid } = request.header
  return writeText(backend, request, reply, () => renderText(backend, file, nodeid, pid))
}

/** Whether a reader that keeps its descriptor is to wait. For a caller without a container that takes too long to tell. */
function isAwaited(backend: Backend, request: Request, file: ServedFile): boolean {
  if (!request.mayWait || !OF_DEVICES.has(file.path)) return false
  const slot = slotOf(request.header.nodeid)
  return slot !== 0 && backend.isAwaited(backend.ofSlot(slot))
}

/** The files that are made of a container's devices, which a worker looks for. */
const OF_DEVICES: ReadonlySet<string> = new Set<FilePath>(['proc/diskstats', 'proc/partitions'])

/** Renders `file` for the container that a request of the process `pid` about `nodeid` is about. */
export function renderText(
  backend: Backend,
  file: ServedFile,
  nodeid: number,
  pid: number,
): Buffer {
  if (!isProcFile(file)) return backend.metrics()
  return backend.render(file, viewOf(backend, nodeid, pid))
}

function viewOf(backend: Backend, nodeid: number, pid: number): View | undefined {
  const slot = slotOf(nodeid)
  return slot === 0 ? backend.ofCaller(pid) : backend.ofSlot(slot)
}

export function release(backend: Backend, request: Request): number {
  backend.handles.release(request.release.fh)
  return 0
}

export function access(backend: Backend, request: Request): number {
  if (isNumbered(request.header.nodeid)) return sysfs.access(backend, request)
  const place = findPlace(request.header.nodeid)
  if (place === undefined) return -ESTALE
  const { mask } = request.access
  if ((mask & W_OK) !== 0) return -EACCES
  if (place.file === undefined) return 0
  return (mask & X_OK) !== 0 || ((mask & R_OK) !== 0 && !mayRead(place.file, request)) ? -EACCES : 0
}

/** Whether the caller may read the file. The root of another user namespace is nobody here, as on procfs. */
function mayRead({ mode }: ServedFile, request: Request): boolean {
  return (mode & S_IROTH) !== 0 || request.header.uid === 0
}

export function opendir(backend: Backend, request: Request, reply: Reply): number {
  const { nodeid, pid, uid } = request.header
  if (isNumbered(nodeid)) return sysfs.opendir(backend, request, reply)
  const place = findPlace(nodeid)
  if (place === undefined) return -ESTALE
  if (place.file !== undefined) return -ENOTDIR
  if (isContainers(nodeid) && !backend.isHostRoot(pid, uid)) return -EACCES
  reply.clear(OpenOut.size)
  reply.open.fh = backend.handles.open(nodeid)
  return OpenOut.size
}

/** Lists a directory once per pass, so that offsets stay true while containers come and go. */
export function readdir(
  backend: Backend,
  request: Request,
  reply: Reply,
  describe?: DescribeEntry,
): number {
  const { nodeid } = request.header
  const { fh, offset, size } = request.read
  const entries = backend.handles.entries(fh, nodeid, offset, () => list(backend, request))
  return writeDirectory(reply, entries, { offset, size }, describe)
}

function list(backend: Backend, request: Request): DirectoryEntry[] {
  const { nodeid } = request.header
  if (isContainers(nodeid)) return listContainers(backend)
  if (isNumbered(nodeid)) {
    const node = backend.nodes.find(nodeid)
    return node === undefined ? [] : sysfs.listEntries(backend, request, node)
  }
  const own = listChildren(nodeid, backend.offered)
  const path = findPlace(nodeid)?.path
  if (path === undefined || !backend.sysfs.has(path)) return own
  const names = new Set(own.map(({ name }) => name))
  const others = sysfs.listEntries(backend, request, { slot: slotOf(nodeid), path })
  return [...own, ...others.filter(({ name }) => !names.has(name))]
}

function listContainers(backend: Backend): DirectoryEntry[] {
  return backend.ids().flatMap(name => {
    const slot = backend.findSlot(name)
    return slot === undefined ? [] : [{ name, nodeid: rootOfSlot(slot), directory: true }]
  })
}
