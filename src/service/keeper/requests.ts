/**
 * The memory into which servers read requests. The keeper holds it together with /dev/fuse, so that the next server finds
 * what the one before has not answered. What is in it servers alone know.
 */

import { readlinkSync } from 'node:fs'
import type { Log } from '../../sys/log.ts'
import { makeMemory } from '../../sys/shared-memory.ts'

const NAME = 'procveil-requests'

/** To be called for each new connection: in another one the same numbers are those of other requests. */
export const makeRequests = () => makeMemory(NAME)

/** Returns the memory that belongs to a connection which another process has kept until now; new memory where there is none. */
export function adoptRequests(fd: number | undefined, log: Log): number {
  if (fd !== undefined && isRequests(fd)) return fd
  if (fd !== undefined) {
    log.warning(
      `descriptor ${fd} is no memory of requests: those of the server before are asked of the kernel`,
    )
  }
  return makeRequests()
}

function isRequests(fd: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`).startsWith(`/memfd:${NAME} `)
  } catch {
    return false
  }
}
