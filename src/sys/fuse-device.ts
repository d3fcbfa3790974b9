/** read(2), write(2) and poll(2) on /dev/fuse: results as sizes or negative errnos, since most are no failure. */

import { checked, errno, int, libc, long, pointer } from './libc.ts'

const calls = libc({
  read: { args: [int, pointer, long], returns: int },
  write: { args: [int, pointer, long], returns: int },
  poll: { args: [pointer, long, int], returns: int },
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

/** sched_yield(2). */
export function yieldCpu(): void {
  calls().sched_yield()
}

/** Waits until `fd` can be read. 0 after `timeoutMs` (-1: no limit), else 1 or a negative errno. */
export function waitReadable(fd: number, timeoutMs: number): number {
  // struct pollfd: fd, then events and revents of 16 bits each.
  pollfd[0] = fd
  pollfd[1] = POLLIN
  const ready = calls().poll(pollfd, 1, timeoutMs)
  return ready === -1 ? -errno() : ready
}

/** Waits until one of two can be read; true when the `second` can, or has no other end any more. */
export function waitEither(first: number, second: number, timeoutMs: number): boolean {
  pollfds[0] = first
  pollfds[1] = POLLIN
  pollfds[2] = second
  pollfds[3] = POLLIN
  const ready = calls().poll(pollfds, 2, timeoutMs)
  return ready > 0 && (pollfds[3] ?? 0) >>> 16 !== 0
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

const POLLIN = 1
const FUSE_DEV_IOC_CLONE = 0x8004e500
const pollfd = new Int32Array(2)
const pollfds = new Int32Array(4)
