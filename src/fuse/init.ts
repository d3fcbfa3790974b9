/** The first exchange on a connection: which version of the protocol, and which of its options. */

import { EPROTO } from './errno.ts'
import {
  FUSE_ABORT_ERROR,
  FUSE_DO_READDIRPLUS,
  FUSE_HAS_RESEND_2,
  FUSE_INIT_EXT,
  FUSE_KERNEL_MINOR_VERSION,
  FUSE_KERNEL_VERSION,
  FUSE_OLDEST_MINOR_VERSION,
  FUSE_PARALLEL_DIROPS,
  FUSE_READDIRPLUS_AUTO,
  InitOut,
} from './protocol.ts'
import type { Reply } from './reply.ts'
import type { Request } from './request.ts'

const WANTED =
  FUSE_PARALLEL_DIROPS |
  FUSE_ABORT_ERROR |
  FUSE_DO_READDIRPLUS |
  FUSE_READDIRPLUS_AUTO |
  FUSE_INIT_EXT
/** For a server of a version that finds no requests of the one before. */
const WANTED_2 = FUSE_HAS_RESEND_2

/** Nothing is ever written, but the kernel wants at least a page all the same. */
const MAX_WRITE = 4096
const MAX_BACKGROUND = 64

/** Answers INIT. Returns the body's size, or a negative errno for a kernel that is too old. */
export function negotiate(request: Request, reply: Reply): number {
  const { major, minor, maxReadahead, flags } = request.init
  reply.clear(InitOut.size)
  reply.init.major = FUSE_KERNEL_VERSION
  reply.init.minor = Math.min(minor, FUSE_KERNEL_MINOR_VERSION)
  // A kernel with a newer major version sends INIT again with ours.
  if (major > FUSE_KERNEL_VERSION) return InitOut.size
  if (major < FUSE_KERNEL_VERSION || minor < FUSE_OLDEST_MINOR_VERSION) return -EPROTO
  reply.init.maxReadahead = maxReadahead
  reply.init.flags = flags & WANTED
  reply.init.flags2 = request.initFlags2 & WANTED_2
  reply.init.maxBackground = MAX_BACKGROUND
  reply.init.congestionThreshold = (MAX_BACKGROUND * 3) / 4
  reply.init.maxWrite = MAX_WRITE
  reply.init.timeGran = 1
  return InitOut.size
}
