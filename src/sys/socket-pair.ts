/** Two ends of a connection whose messages stay whole: socketpair(2), SOCK_SEQPACKET of unix(7). */

import { checked, int, libc, pointer } from './libc.ts'

const AF_UNIX = 1
const SOCK_SEQPACKET = 5
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000

const calls = libc({ socketpair: { args: [int, int, int, pointer], returns: int } })

/** Returns the descriptors of both ends, at which nothing waits. */
export function openSocketPair(): [number, number] {
  const fds = new Int32Array(2)
  const type = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC
  checked(calls().socketpair(AF_UNIX, type, 0, fds), 'socketpair', 'open a pair of sockets')
  const [one = -1, other = -1] = fds
  return [one, other]
}
