/** read(2) and write(2) on /dev/fuse: results as sizes or negative errnos, since most are no failure. */

import { errno, int, libc, long, pointer } from './libc.ts'

const calls = libc({
  read: { args: [int, pointer, long], returns: int },
  write: { args: [int, pointer, long], returns: int },
  sched_yield: { args: [], returns: int },
})

export function readInto(fd: number, buffer: Uint8Array): number {
  const size = calls().read(fd, buffer, buffer.length)
  return size === -1 ? -errno() : size
}

export function writeFrom(fd: number, buffer: Uint8Array, size: number): number {
  const written = calls().write(fd, buffer, size)
  return written === -1 ? -errno() : written
}

/** Lets others on this CPU run: sched_yield(2). */
export function yieldCpu(): void {
  calls().sched_yield()
}
