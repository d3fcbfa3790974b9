/** flock(2): the kernel gives the lock back when its holder dies, however it dies. */

import { closeSync, openSync } from 'node:fs'
import { SysError } from './error.ts'
import { errno, int, libc } from './libc.ts'

const LOCK_EX = 2
const LOCK_NB = 4
const EINTR = 4
const EAGAIN = 11
const RETRY_MS = 2

const calls = libc({ flock: { args: [int, int], returns: int } })

/** A descriptor that holds the lock until it is closed; `undefined` when someone else has it for `timeoutMs`. */
export function tryLock(path: string, timeoutMs: number): number | undefined {
  const deadline = performance.now() + timeoutMs
  const fd = openSync(path, 'a', 0o600)
  while (calls().flock(fd, LOCK_EX | LOCK_NB) === -1) {
    const failure = errno()
    const taken = failure === EAGAIN || failure === EINTR
    if (taken && performance.now() < deadline) {
      sleep(RETRY_MS)
      continue
    }
    closeSync(fd)
    if (taken) return undefined
    throw new SysError('flock', failure, `lock ${path}`)
  }
  return fd
}

/** Takes the lock as `tryLock` does. Throws when someone else has it for `timeoutMs`. */
export function lock(path: string, timeoutMs: number): number {
  const fd = tryLock(path, timeoutMs)
  if (fd !== undefined) return fd
  throw new Error(`Cannot lock ${path}: another process has held it for ${timeoutMs} ms`)
}

/** Blocks this thread. */
export function sleep(milliseconds: number): void {
  Atomics.wait(sleeper, 0, 0, milliseconds)
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
