/** flock(2) and fcntl(2): the kernel gives a lock back when its holder dies, however it dies. */

import { closeSync, openSync } from 'node:fs'
import { errorCode, SysError } from './error.ts'
import { errno, int, libc, pointer } from './libc.ts'
import { sleep } from './sleep.ts'

const LOCK_EX = 2
const LOCK_NB = 4
const EINTR = 4
const EAGAIN = 11
const EACCES = 13
/** What the two calls say of a lock that someone else has, and of one that a signal came between. */
const TAKEN: ReadonlySet<number> = new Set([EINTR, EAGAIN, EACCES])

const RETRY_MS = 2

const calls = libc({ flock: { args: [int, int], returns: int } })

/** A descriptor that holds the lock until it is closed; `undefined` when someone else has it for `timeoutMs`. */
export function tryLock(path: string, timeoutMs: number): number | undefined {
  const fd = openToLock(path)
  return tryFor(fd, path, timeoutMs, 'flock', () => calls().flock(fd, LOCK_EX | LOCK_NB))
}

/** The lock of a file takes no right to write it. */
function openToLock(path: string): number {
  try {
    return openSync(path, 'a', 0o600)
  } catch (error) {
    if (errorCode(error) === 'EROFS') return openSync(path, 'r')
    throw error
  }
}

/** Tries again and again. `attempt` returns -1 when it has failed. */
function tryFor(
  fd: number,
  path: string,
  timeoutMs: number,
  syscall: string,
  attempt: () => number,
): number | undefined {
  const deadline = performance.now() + timeoutMs
  while (attempt() === -1) {
    const failure = errno()
    const isTaken = TAKEN.has(failure)
    if (isTaken && performance.now() < deadline) {
      sleep(RETRY_MS)
      continue
    }
    closeSync(fd)
    if (isTaken) return undefined
    throw new SysError(syscall, failure, `lock ${path}`)
  }
  return fd
}

/** Takes the lock as `tryLock` does. Throws when someone else has it for `timeoutMs`. */
export function lock(path: string, timeoutMs: number): number {
  const fd = tryLock(path, timeoutMs)
  if (fd !== undefined) return fd
  throw new Error(`Cannot lock ${path}: another process has held it for ${timeoutMs} ms`)
}

const F_OFD_SETLK = 37
const F_WRLCK = 1

const ranges = libc({ fcntl: { args: [int, int, pointer], returns: int } })

/**
 * Locks one byte of a file as `tryLock` locks a file: fcntl(2), "Open file description locks". The byte need not be
 * there, so that many locks share a file, and none leaves anything behind.
 */
export function tryLockByte(path: string, offset: number, timeoutMs: number): number | undefined {
  // struct flock: l_type and l_whence of 16 bits each, l_start and l_len of 64 bits, l_pid.
  const flock = new BigInt64Array([BigInt(F_WRLCK), BigInt(offset), 1n, 0n])
  const fd = openSync(path, 'a', 0o600)
  return tryFor(fd, path, timeoutMs, 'fcntl', () => ranges().fcntl(fd, F_OFD_SETLK, flock))
}
