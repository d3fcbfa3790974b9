/**
 * What FUSE costs a server in TypeScript, the second floor beside floor.c: `constant MOUNTPOINT FILE...` serves the
 * files' bytes as they were when it was started, below their base names. It has our own src/fuse, and nothing to compute.
 */

import { constants, openSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { FuseDevice } from '../../src/fuse/device.ts'
import { ENOENT } from '../../src/fuse/errno.ts'
import { negotiate } from '../../src/fuse/init.ts'
import {
  Attr,
  AttrOut,
  EntryOut,
  FOPEN_DIRECT_IO,
  FOPEN_NOFLUSH,
  Opcode,
  OpenOut,
} from '../../src/fuse/protocol.ts'
import type { Reply } from '../../src/fuse/reply.ts'
import type { Request } from '../../src/fuse/request.ts'
import { type Operation, Session } from '../../src/fuse/session.ts'
import { mountFuse } from '../../src/mount/served.ts'
import { openPipe } from '../../src/sys/pipe.ts'

const LONG_SECONDS = 3600
const KERNEL_SIZE = 4096
/** The node of the first file. The root is 1. */
const FIRST = 2

const [, , mountPoint = '', ...paths] = process.argv
const names = paths.map(path => basename(path))
const texts = paths.map(path => readFileSync(path))

function describe(attr: Reply['entryAttr'], nodeid: number): void {
  attr.ino = nodeid
  attr.mode = nodeid < FIRST ? 0o040555 : 0o100444
  attr.nlink = 1
  attr.size = nodeid < FIRST ? 0 : KERNEL_SIZE
  attr.blksize = 4096
}

function lookup(request: Request, reply: Reply): number {
  const index = names.indexOf(request.name)
  if (index < 0) return -ENOENT
  reply.clear(EntryOut.size + Attr.size)
  reply.entry.nodeid = index + FIRST
  reply.entry.entryValid = LONG_SECONDS
  reply.entry.attrValid = LONG_SECONDS
  describe(reply.entryAttr, index + FIRST)
  return EntryOut.size + Attr.size
}

function getattr(request: Request, reply: Reply): number {
  reply.clear(AttrOut.size + Attr.size)
  reply.attr.attrValid = LONG_SECONDS
  describe(reply.attrAttr, request.header.nodeid)
  return AttrOut.size + Attr.size
}

function open(request: Request, reply: Reply): number {
  reply.clear(OpenOut.size)
  reply.open.fh = request.header.nodeid
  reply.open.openFlags = FOPEN_DIRECT_IO | FOPEN_NOFLUSH
  return OpenOut.size
}

function read(request: Request, reply: Reply): number {
  const text = texts[request.header.nodeid - FIRST]
  const { offset, size } = request.read
  if (text === undefined || offset >= text.length) return 0
  return text.copy(reply.buffer, reply.start, offset, offset + Math.min(size, reply.room))
}

const done = () => 0
const operations: readonly Operation[] = [
  { name: 'INIT', run: negotiate },
  { name: 'LOOKUP', run: lookup },
  { name: 'GETATTR', run: getattr },
  { name: 'OPEN', run: open },
  { name: 'READ', run: read },
  { name: 'RELEASE', run: done },
  { name: 'FORGET', run: done, oneWay: true },
  { name: 'BATCH_FORGET', run: done, oneWay: true },
  { name: 'INTERRUPT', run: done, oneWay: true },
]

const fuse = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK)
mountFuse(fuse, mountPoint)
const device = new FuseDevice(fuse)
const byOpcode = new Map(operations.map(each => [Opcode[each.name as keyof typeof Opcode], each]))
const session = new Session(device, byOpcode, {
  report: error => {
    throw error
  },
})
// Nothing ever comes from this pipe.
const { reader } = openPipe()
for (;;) {
  const verdict = session.step()
  if (verdict === 'gone') break
  if (verdict === 'retry') device.wait(reader, -1)
}
