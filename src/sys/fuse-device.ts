/** read(2) and write(2) on /dev/fuse: results as sizes or negative errnos, since most are no failure. */

import { checked, errno, int, libc, long, pointer } from './libc.ts'

const calls = libc({
  read: { args: [int, pointer, long], returns: int },
  write: { args: [int, pointer, long], returns: int },
  sched_yield: { args: [], returns: int },
})

const ioctls = libc({ ioctl: { args: [int, long, pointer], returns: int } })

export function readInto(fd: number, buffer: Uint8Array): number {
  const size = calls().read(fd, buffer, buffer.length)
  return size === -1 ? -errno() : size
}

export function writeFrom(fd: number, buffer: Uint8Array, size: number): number {
  const written = calls().write(fd, buffer, size)
  return written === -1 ? -errno() : written
}

/** Lets others on this CPU run: sched_yield(2). */
export function yieldCpu(): void {
  calls().sched_yield()
}

/** Joins `clone`, a fresh open of /dev/fuse, to the connection of `fd`: ioctl(2) FUSE_DEV_IOC_CLONE. */
export function joinConnection(clone: number, fd: number): void {
  const argument = new Uint32Array([fd])
  checked(
    ioctls().ioctl(clone, FUSE_DEV_IOC_CLONE, argument),
    'ioctl',
    'open a second descriptor of the connection',
  )
}

const FUSE_DEV_IOC_CLONE = 0x8004e500
