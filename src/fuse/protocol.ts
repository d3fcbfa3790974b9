/**
 * The FUSE protocol, include/uapi/linux/fuse.h: the structs and numbers that we use, under the kernel's names. What we
 * never look into, such as a field at the end of a request, is left out.
 */

import { struct } from './struct.ts'

export const FUSE_KERNEL_VERSION = 7
/** The newest minor version whose messages are declared here. */
export const FUSE_KERNEL_MINOR_VERSION = 40
/**
 * The oldest minor version that we speak: Linux 5.4 speaks 7.31. Before 5.2 there is no open_tree(2), which binding
 * needs.
 */
export const FUSE_OLDEST_MINOR_VERSION = 31

export const Opcode = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  SETATTR: 4,
  READLINK: 5,
  SYMLINK: 6,
  MKNOD: 8,
  MKDIR: 9,
  UNLINK: 10,
  RMDIR: 11,
  RENAME: 12,
  LINK: 13,
  OPEN: 14,
  READ: 15,
  WRITE: 16,
  STATFS: 17,
  RELEASE: 18,
  FSYNC: 20,
  SETXATTR: 21,
  GETXATTR: 22,
  LISTXATTR: 23,
  REMOVEXATTR: 24,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  FSYNCDIR: 30,
  ACCESS: 34,
  CREATE: 35,
  INTERRUPT: 36,
  DESTROY: 38,
  POLL: 40,
  BATCH_FORGET: 42,
  FALLOCATE: 43,
  READDIRPLUS: 44,
  RENAME2: 45,
  TMPFILE: 51,
} as const

export const InHeader = struct({
  len: 'u32',
  opcode: 'u32',
  // The two words are only echoed, and the kernel sets bit 63 when it sends a request again.
  uniqueLow: 'u32',
  uniqueHigh: 'u32',
  nodeid: 'u64',
  uid: 'u32',
  gid: 'u32',
  pid: 'u32',
  totalExtlen: 'u16',
  padding: 'u16',
})

export const OutHeader = struct({
  len: 'u32',
  error: 'i32',
  uniqueLow: 'u32',
  uniqueHigh: 'u32',
})

/** The part of fuse_init_in that every kernel sends; `flags2` follows since 7.36. */
export const InitIn = struct({ major: 'u32', minor: 'u32', maxReadahead: 'u32', flags: 'u32' })
export const InitInExtension = struct({ flags2: 'u32' })

export const InitOut = struct({
  major: 'u32',
  minor: 'u32',
  maxReadahead: 'u32',
  flags: 'u32',
  maxBackground: 'u16',
  congestionThreshold: 'u16',
  maxWrite: 'u32',
  timeGran: 'u32',
  maxPages: 'u16',
  mapAlignment: 'u16',
  flags2: 'u32',
  maxStackDepth: 'u32',
  requestTimeout: 'u16',
  unused0: 'u16',
  unused1: 'u32',
  unused2: 'u64',
  unused3: 'u64',
})

/** INIT flags. Those above bit 31 travel in `flags2`, shifted down by 32. */
export const FUSE_PARALLEL_DIROPS = 1 << 18
export const FUSE_ABORT_ERROR = 1 << 21
export const FUSE_INIT_EXT = 1 << 30
export const FUSE_DO_READDIRPLUS = 1 << 13
export const FUSE_READDIRPLUS_AUTO = 1 << 14
export const FUSE_HAS_RESEND_2 = 1 << (39 - 32)

export const Attr = struct({
  ino: 'u64',
  size: 'u64',
  blocks: 'u64',
  atime: 'u64',
  mtime: 'u64',
  ctime: 'u64',
  atimensec: 'u32',
  mtimensec: 'u32',
  ctimensec: 'u32',
  mode: 'u32',
  nlink: 'u32',
  uid: 'u32',
  gid: 'u32',
  rdev: 'u32',
  blksize: 'u32',
  flags: 'u32',
})

/** fuse_entry_out up to its attributes, which follow as `Attr`. */
export const EntryOut = struct({
  nodeid: 'u64',
  generation: 'u64',
  entryValid: 'u64',
  attrValid: 'u64',
  entryValidNsec: 'u32',
  attrValidNsec: 'u32',
})

/** fuse_attr_out up to its attributes, which follow as `Attr`. */
export const AttrOut = struct({ attrValid: 'u64', attrValidNsec: 'u32', dummy: 'u32' })

/** `fh` counts only with FUSE_GETATTR_FH, which the kernel sets for fstat(2) and lseek(2), not for stat(2). */
export const GetattrIn = struct({ getattrFlags: 'u32', dummy: 'u32', fh: 'u64' })
export const FUSE_GETATTR_FH = 1 << 0

export const ForgetIn = struct({ nlookup: 'u64' })
export const BatchForgetIn = struct({ count: 'u32', dummy: 'u32' })
export const ForgetOne = struct({ nodeid: 'u64', nlookup: 'u64' })

export const OpenIn = struct({ flags: 'u32', openFlags: 'u32' })
export const OpenOut = struct({ fh: 'u64', openFlags: 'u32', backingId: 'u32' })
export const FOPEN_DIRECT_IO = 1 << 0
/** This flag makes close(2) send no FLUSH. It came with 7.35; for older kernels ENOSYS does the same. */
export const FOPEN_NOFLUSH = 1 << 5

export const ReadIn = struct({
  fh: 'u64',
  offset: 'u64',
  size: 'u32',
  readFlags: 'u32',
  lockOwner: 'u64',
  flags: 'u32',
  padding: 'u32',
})

/** The kernel sets this in every READ of direct I/O, fuse_direct_io(), and never in one that fills the page cache. */
export const FUSE_READ_LOCKOWNER = 1 << 1

export const ReleaseIn = struct({ fh: 'u64', flags: 'u32', releaseFlags: 'u32', lockOwner: 'u64' })
export const AccessIn = struct({ mask: 'u32', padding: 'u32' })

export const StatfsOut = struct({
  blocks: 'u64',
  bfree: 'u64',
  bavail: 'u64',
  files: 'u64',
  ffree: 'u64',
  bsize: 'u32',
  namelen: 'u32',
  frsize: 'u32',
  padding: 'u32',
  spare0: 'u64',
  spare1: 'u64',
  spare2: 'u64',
})

/** fuse_dirent up to its name, which follows without NUL, padded to 8 bytes. */
export const Dirent = struct({ ino: 'u64', off: 'u64', namelen: 'u32', type: 'u32' })

/** The kernel's numbers of requests are even. With this bit in `unique` a reply is to the interruption of a request. */
export const FUSE_INT_REQ_BIT = 1

/** What we tell the kernel unasked has its code where a reply has its error, and 0 for `unique`. */
export const FUSE_NOTIFY_INVAL_INODE = 2
export const FUSE_NOTIFY_RESEND = 7
export const NotifyInvalInodeOut = struct({ ino: 'u64', offLow: 'i32', offHigh: 'i32', len: 'u64' })
