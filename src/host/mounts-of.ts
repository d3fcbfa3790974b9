/** Reads the mounts of a process, of which a container can make any number. */

import { tooLarge } from './beginning.ts'
import type { Host } from './host.ts'

/** At most this much of a container's mountinfo is read. A mount has 100 to 400 bytes, an overlay a few thousand. */
export const MOST_MOUNTINFO_BYTES = 256 * 1024

/**
 * Returns the whole mountinfo, since what lies on a path is known only when all mounts are. Throws an Error with the
 * code EFBIG when there is too much of it, and the system's error when there is no such process.
 *
 * All mounts of the host may be in it besides the container's: before pivot_root(2), and where a volume is the host's
 * root. So the host's own mountinfo counts to the limit.
 */
export function readMountsOf(host: Host, pid: number): string {
  const path = `proc/${pid}/mountinfo`
  const few = host.readBeginning(path, MOST_MOUNTINFO_BYTES)
  if (few.isWhole) return few.text
  const mostBytes = MOST_MOUNTINFO_BYTES + host.read('proc/self/mountinfo').length
  const many = host.readBeginning(path, mostBytes)
  if (many.isWhole) return many.text
  throw tooLarge(host.path(path), mostBytes)
}
