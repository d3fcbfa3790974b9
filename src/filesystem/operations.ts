/** What our file system answers to each request of the kernel. One row per operation. */

import { EROFS } from '../fuse/errno.ts'
import { negotiate } from '../fuse/init.ts'
import { Opcode, StatfsOut } from '../fuse/protocol.ts'
import type { Reply } from '../fuse/reply.ts'
import type { Request } from '../fuse/request.ts'
import type { Operation, Operations } from '../fuse/session.ts'
import type { Backend } from './backend.ts'
import { access, open, opendir, read, readdir, release } from './file-operations.ts'
import { describer, getattr, lookup } from './inode-operations.ts'
import { isNumbered } from './node-numbers.ts'
import { readlink } from './sysfs-operations.ts'
import { slotOf } from './tree.ts'

type Rows = Partial<Record<keyof typeof Opcode, Omit<Operation, 'name'>>>

export function operations(backend: Backend): Operations {
  const forget = (nodeid: number, lookups: number) => {
    const slot = isNumbered(nodeid) ? backend.nodes.slotOf(nodeid) : slotOf(nodeid)
    if (slot !== undefined) backend.release(slot, lookups)
  }
  const rows: Rows = {
    INIT: { run: negotiate },
    DESTROY: { run: done },
    // The request that is to be interrupted was read before this one, and all requests are answered in turn.
    INTERRUPT: { run: done, oneWay: true },

    LOOKUP: { run: (request, reply) => lookup(backend, request, reply) },
    FORGET: { run: request => forgetOne(request, forget), oneWay: true },
    BATCH_FORGET: { run: request => forgetMany(request, forget), oneWay: true },
    GETATTR: { run: (request, reply) => getattr(backend, request, reply) },
    ACCESS: { run: request => access(backend, request) },
    READLINK: { run: (request, reply) => readlink(backend, request, reply) },
    STATFS: { run: statfs },

    OPEN: { run: (request, reply) => open(backend, request, reply) },
    READ: { run: (request, reply) => read(backend, request, reply) },
    RELEASE: { run: request => release(backend, request) },
    OPENDIR: { run: (request, reply) => opendir(backend, request, reply) },
    READDIR: { run: (request, reply) => readdir(backend, request, reply) },
    READDIRPLUS: { run: (request, reply) => readdir(backend, request, reply, describer(backend)) },
    RELEASEDIR: { run: request => release(backend, request) },

    SETATTR: { run: refuse },
    SYMLINK: { run: refuse },
    MKNOD: { run: refuse },
    MKDIR: { run: refuse },
    UNLINK: { run: refuse },
    RMDIR: { run: refuse },
    RENAME: { run: refuse },
    RENAME2: { run: refuse },
    LINK: { run: refuse },
    WRITE: { run: refuse },
    CREATE: { run: refuse },
    TMPFILE: { run: refuse },
    SETXATTR: { run: refuse },
    REMOVEXATTR: { run: refuse },
    FALLOCATE: { run: refuse },
  }
  return new Map(
    Object.entries(rows).map(([name, row]) => [Opcode[name as keyof Rows], { name, ...row }]),
  )
}

const done = () => 0
const refuse = () => -EROFS

function forgetOne(request: Request, forget: (nodeid: number, lookups: number) => void): number {
  forget(request.header.nodeid, request.forget.nlookup)
  return 0
}

function forgetMany(request: Request, forget: (nodeid: number, lookups: number) => void): number {
  request.eachForget(forget)
  return 0
}

function statfs(_: Request, reply: Reply): number {
  reply.clear(StatfsOut.size)
  reply.statfs.bsize = 4096
  reply.statfs.frsize = 4096
  reply.statfs.namelen = 255
  return StatfsOut.size
}
