/** Stream sockets of AF_UNIX, of which every step returns at once: unix(7). A hook loads this file, and node:fs not. */

import { checked, errno, int, libc, long, pointer } from './libc.ts'
import { waitReadable } from './poll.ts'

const AF_UNIX = 1
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SO_PEERCRED = 17
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const EAGAIN = 11

/** sun_path has 108 bytes, the last of which is 0. */
const MOST_PATH_BYTES = 107

const calls = libc({
  socket: { args: [int, int, int], returns: int },
  connect: { args: [int, pointer, int], returns: int },
  send: { args: [int, pointer, long, int], returns: long },
  recv: { args: [int, pointer, long, int], returns: long },
  close: { args: [int], returns: int },
})
const credentials = libc({
  getsockopt: { args: [int, int, int, pointer, pointer], returns: int },
})

/** A connected socket; `undefined` where nobody listens, too many wait already, or no socket can be had. */
export function connectTo(path: string): number | undefined {
  const name = Buffer.from(path)
  if (name.length > MOST_PATH_BYTES) return undefined
  const address = Buffer.alloc(2 + name.length + 1)
  address.writeUInt16LE(AF_UNIX, 0)
  name.copy(address, 2)
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
  const fd = calls().socket(AF_UNIX, type, 0)
  if (fd < 0) return undefined
  if (calls().connect(fd, address, address.length) === 0) return fd
  closeSocket(fd)
  return undefined
}

export function closeSocket(fd: number): void {
  calls().close(fd)
}

/** Returns how many bytes were taken; 0 when there is no room now, and `undefined` when nobody listens any more. */
export function sendSome(fd: number, bytes: Uint8Array): number | undefined {
  const size = Number(calls().send(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL))
  if (size >= 0) return size
  return errno() === EAGAIN ? 0 : undefined
}

/**
 * Waits for bytes, and returns how many were put into `buffer`: 0 at the end, and `undefined` when none came within
 * `timeoutMs`.
 */
export function receive(fd: number, buffer: Uint8Array, timeoutMs: number): number | undefined {
  if (waitReadable(fd, timeoutMs) <= 0) return undefined
  const size = Number(calls().recv(fd, buffer, buffer.length, MSG_DONTWAIT))
  if (size >= 0) return size
  return errno() === EAGAIN ? undefined : 0
}

/** Who connected, or who listens: `struct ucred`, as of connect(2) or listen(2). */
export function peerOf(fd: number): { pid: number; uid: number } {
  const ucred = new Int32Array(3)
  const size = new Int32Array([ucred.byteLength])
  const result = credentials().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, size)
  checked(result, 'getsockopt', 'ask who is at the other end of a socket')
  return { pid: ucred[0] ?? 0, uid: (ucred[1] ?? -1) >>> 0 }
}
