/** read(2), write(2) and poll(2) on /dev/fuse: results as sizes or negative errnos, since most are no failure. */

import { errno, int, libc, long, pointer } from './libc.ts'

const calls = libc({
  read: { args: [int, pointer, long], returns: int },
  write: { args: [int, pointer, long], returns: int },
  poll: { args: [pointer, long, int], returns: int },
})

export function readInto(fd: number, buffer: Uint8Array): number {
  const size = calls().read(fd, buffer, buffer.length)
  return size === -1 ? -errno() : size
}

export function writeFrom(fd: number, buffer: Uint8Array, size: number): number {
  const written = calls().write(fd, buffer, size)
  return written === -1 ? -errno() : written
}

/** Waits until `fd` can be read. 0 after `timeoutMs` (-1: no limit), else 1 or a negative errno. */
export function waitReadable(fd: number, timeoutMs: number): number {
  // struct pollfd: fd, then events and revents of 16 bits each.
  pollfd[0] = fd
  pollfd[1] = POLLIN
  const ready = calls().poll(pollfd, 1, timeoutMs)
  return ready === -1 ? -errno() : ready
}

const POLLIN = 1
const pollfd = new Int32Array(2)
