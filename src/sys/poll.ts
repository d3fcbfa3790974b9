/** Waiting for descriptors: poll(2). */

import { errno, int, libc, long, pointer } from './libc.ts'

const calls = libc({ poll: { args: [pointer, long, int], returns: int } })

const POLLIN = 1

/** struct pollfd: the descriptor, then events and revents of 16 bits each. */
const pollfd = new Int32Array(2)
const pollfds = new Int32Array(4)

/** Waits until `fd` can be read. Returns 0 after `timeoutMs` (-1: no limit), else 1 or a negative errno. */
export function waitReadable(fd: number, timeoutMs: number): number {
  pollfd[0] = fd
  pollfd[1] = POLLIN
  const ready = calls().poll(pollfd, 1, timeoutMs)
  return ready === -1 ? -errno() : ready
}

/** Waits until one of two descriptors can be read. True when the `second` can be, or has no other end any more. */
export function waitEither(first: number, second: number, timeoutMs: number): boolean {
  pollfds[0] = first
  pollfds[1] = POLLIN
  pollfds[2] = second
  pollfds[3] = POLLIN
  const ready = calls().poll(pollfds, 2, timeoutMs)
  return ready > 0 && (pollfds[3] ?? 0) >>> 16 !== 0
}

const POLLERR = 8

/** Whether nothing will ever come from `fd` any more: for /dev/fuse, that the connection is gone. */
export function isBroken(fd: number): boolean {
  pollfd[0] = fd
  pollfd[1] = 0
  return calls().poll(pollfd, 1, 0) > 0 && (((pollfd[1] ?? 0) >>> 16) & POLLERR) !== 0
}
