/** One datagram to a socket of AF_UNIX, with descriptors: sendmsg(2), and SCM_RIGHTS of unix(7). */

import { ptr } from 'bun:ffi'
import { closeSync } from 'node:fs'
import { SysError } from './error.ts'
import { checked, errno, int, libc, pointer } from './libc.ts'

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2000000
const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_NOSIGNAL = 0x4000
const EAGAIN = 11
const F_SETFD = 2
const FD_CLOEXEC = 1

/** struct cmsghdr: cmsg_len of 64 bits, cmsg_level and cmsg_type of 32 bits each. */
const HEADER_BYTES = 16
const DESCRIPTOR_BYTES = 4

const calls = libc({
  socket: { args: [int, int, int], returns: int },
  sendmsg: { args: [int, pointer, int], returns: int },
})
const own = libc({ fcntl: { args: [int, int, int], returns: int } })

/**
 * Sends `text` and the descriptors `fds` to whoever has bound `path`. One that begins with @ is an abstract name. Returns
 * false when the receiver has no room now. Throws when nobody can be reached there.
 */
export function sendDatagram(path: string, text: string, fds: readonly number[]): boolean {
  const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC
  const socket = checked(calls().socket(AF_UNIX, type, 0), 'socket', 'open a socket')
  try {
    const address = renderAddress(path)
    const bytes = Buffer.from(text)
    const iovec = new BigUint64Array([BigInt(ptr(bytes)), BigInt(bytes.length)])
    const control = renderRights(fds)
    // struct msghdr, of 64 bits each: msg_name, msg_namelen, msg_iov, msg_iovlen, msg_control, msg_controllen, msg_flags.
    const message = new BigUint64Array(7)
    message.set([BigInt(ptr(address)), BigInt(address.length), BigInt(ptr(iovec)), 1n])
    if (fds.length > 0) message.set([BigInt(ptr(control)), BigInt(control.length)], 4)
    if (calls().sendmsg(socket, message, MSG_NOSIGNAL) !== -1) return true
    const failure = errno()
    if (failure === EAGAIN) return false
    throw new SysError('sendmsg', failure, `send to ${path}`)
  } finally {
    closeSync(socket)
  }
}

/** struct sockaddr_un. A path ends with a 0, and an abstract name begins with one. */
function renderAddress(path: string): Buffer {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`)
  const address = Buffer.alloc(2 + name.length)
  address.writeUInt16LE(AF_UNIX, 0)
  name.copy(address, 2)
  return address
}

function renderRights(fds: readonly number[]): Buffer {
  const length = HEADER_BYTES + fds.length * DESCRIPTOR_BYTES
  // The kernel wants each header on a multiple of 8: CMSG_SPACE of cmsg(3).
  const control = Buffer.alloc(Math.ceil(length / 8) * 8)
  control.writeBigUInt64LE(BigInt(length), 0)
  control.writeInt32LE(SOL_SOCKET, 8)
  control.writeInt32LE(SCM_RIGHTS, 12)
  for (const [i, fd] of fds.entries()) control.writeInt32LE(fd, HEADER_BYTES + i * DESCRIPTOR_BYTES)
  return control
}

/** Has a descriptor that was passed to this process be closed when the process becomes another program. */
export function closeOnExec(fd: number): void {
  own().fcntl(fd, F_SETFD, FD_CLOEXEC)
}
