/**
 * memory.high, cgroup-v2.rst, "Memory Interface Files". The kernel slows down who uses more below a cgroup, and takes back
 * what it can there. Kubernetes' MemoryQoS and systemd's `MemoryHigh=` set it.
 */

import type { Group } from '../group.ts'
import { parseLimit } from '../memory.ts'

/** The cgroups above a container are those of many, and what they say seldom changes. */
const SHARED_USEC = 100_000

interface Known {
  bytes: number
  untilUsec: number
}

const known = new WeakMap<Group, Known>()

/**
 * Bytes, `Infinity` where it limits nothing. Of a cgroup above the container's own the answer may be 0.1 s old: it is
 * then read once for all containers below.
 */
export function readHigh(level: Group, isOwn: boolean): number {
  if (isOwn) return read(level)
  const now = level.clock.monotonicUsec()
  const last = known.get(level)
  if (last !== undefined && now < last.untilUsec) return last.bytes
  const bytes = read(level)
  if (last === undefined) known.set(level, { bytes, untilUsec: now + SHARED_USEC })
  else {
    last.bytes = bytes
    last.untilUsec = now + SHARED_USEC
  }
  return bytes
}

const read = (level: Group) => parseLimit(level.bytes('memory.high'))
