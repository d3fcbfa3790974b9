/**
 * What a process needs of the system that is to end within milliseconds: loading node:fs takes one of them, and leaving by
 * exit(3) half of one.
 */

import { SysError } from './error.ts'
import { checked, cstring, errno, int, libc, long, nothing, pointer } from './libc.ts'
import { waitReadable } from './poll.ts'

const STDIN = 0
const STDERR = 2
const EINTR = 4
const EAGAIN = 11
const PIECE_BYTES = 64 * 1024
const MOST_LINK_BYTES = 256

const calls = libc({
  read: { args: [int, pointer, long], returns: long },
  write: { args: [int, pointer, long], returns: long },
  readlink: { args: [pointer, pointer, long], returns: long },
  _exit: { args: [int], returns: nothing },
})

/**
 * Reads stdin to its end, or until there is more than `mostBytes`. Where the caller has made it non-blocking, `timeoutMs`
 * is how long each piece is waited for. Throws a SysError.
 */
export function readStdin(mostBytes: number, timeoutMs: number): string {
  const pieces: Uint8Array[] = []
  for (let length = 0; length <= mostBytes; ) {
    const piece = new Uint8Array(PIECE_BYTES)
    const size = Number(calls().read(STDIN, piece, piece.length))
    if (size === 0) break
    if (size < 0) {
      const failure = errno()
      if (failure === EINTR) continue
      if (failure === EAGAIN && waitReadable(STDIN, timeoutMs) !== 0) continue
      throw new SysError('read', failure, 'read from stdin')
    }
    pieces.push(piece.subarray(0, size))
    length += size
  }
  return Buffer.concat(pieces).toString()
}

/** As much as stderr takes. A closed one must not end the program. */
export function writeStderr(text: string): void {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    const size = Number(calls().write(STDERR, bytes.subarray(at), bytes.length - at))
    if (size <= 0) return
    at += size
  }
}

/** What a symbolic link says. Throws a SysError. */
export function linkOf(path: string): string {
  const text = new Uint8Array(MOST_LINK_BYTES)
  const size = Number(calls().readlink(cstring(path), text, text.length))
  checked(size, 'readlink', `read the link ${path}`)
  return Buffer.from(text.subarray(0, size)).toString()
}

/** Ends this process at once: _exit(2). Nothing is flushed, since nothing here is buffered. */
export function exitNow(status: number): never {
  calls()._exit(status)
  throw new Error('Cannot end')
}
