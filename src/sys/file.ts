/** open(2), pread(2) and close(2) without an error for each file that is not there: most of ours may be missing. */

import type { FileCalls } from '../host/kept-host.ts'
import { cstring, errno, int, libc, long, pointer } from './libc.ts'

const calls = libc({
  open: { args: [pointer, int], returns: int },
  pread: { args: [int, pointer, long, long], returns: int },
  close: { args: [int], returns: int },
})

const O_CLOEXEC = 0o2000000

export const fileCalls: FileCalls = {
  open(path) {
    const fd = calls().open(cstring(path), O_CLOEXEC)
    return fd === -1 ? -errno() : fd
  },
  pread(fd, buffer, at, offset) {
    const target = at === 0 ? buffer : buffer.subarray(at)
    const size = calls().pread(fd, target, buffer.length - at, offset)
    return size === -1 ? -errno() : size
  },
  close(fd) {
    calls().close(fd)
  },
}
