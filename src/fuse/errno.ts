/** The errors that pass between the kernel and us, errno(3), and what those of /dev/fuse mean. */

export const ENOENT = 2
const EINTR = 4
export const EIO = 5
const EAGAIN = 11
export const EACCES = 13
export const ENODEV = 19
export const ENOTDIR = 20
export const EISDIR = 21
export const EINVAL = 22
export const ENFILE = 23
export const EROFS = 30
export const ENOSYS = 38
export const EPROTO = 71
const ECONNABORTED = 103
export const ESTALE = 116

/** The result of an operation that is to be run again soon: its caller waits. No errno is so large. */
export const LATER = -4096

/** `retry` means that the request is gone or that there is none, `gone` that the whole connection is. */
export type Verdict = 'retry' | 'gone'

/** In fs/fuse/dev.c ENOENT means an interrupted request, ENODEV an unmounted and ECONNABORTED an aborted connection. */
export function judge(action: string, errno: number): Verdict {
  switch (errno) {
    case EINTR:
    case EAGAIN:
    case ENOENT:
      return 'retry'
    case ENODEV:
    case ECONNABORTED:
      return 'gone'
    default:
      throw new Error(`Cannot ${action}: errno ${errno}`)
  }
}
