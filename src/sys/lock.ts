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

/** A descriptor that holds the lock until it is closed; `undefined` when someone else has it. */
export function tryLock(path: string): number | undefined {
  const fd = openSync(path, 'a', 0o600)
  if (calls().flock(fd, LOCK_EX | LOCK_NB) === 0) return fd
  const failure = errno()
  closeSync(fd)
  if (failure === EAGAIN || failure === EINTR) return undefined
  throw new SysError('flock', failure, `lock ${path}`)
}

/** As `tryLock`, and waits for the lock, at most `timeoutMs`. */
export function lock(path: string, timeoutMs: number): number {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const fd = tryLock(path)
    if (fd !== undefined) return fd
    if (performance.now() > deadline) {
      throw new Error(`Cannot lock ${path}: another process has held it for ${timeoutMs} ms`)
    }
    sleep(RETRY_MS)
  }
}

/** Blocks this thread. */
export function sleep(milliseconds: number): void {
  Atomics.wait(sleeper, 0, 0, milliseconds)
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))
