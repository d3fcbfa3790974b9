/** Reads what a registration records of a container, given the pid of its init. */

import { type Host, orUndefined } from '../host/host.ts'
import { MountTree, parseMounts } from '../host/mountinfo.ts'
import { readMountsOf } from '../host/mounts-of.ts'
import { isZombie, parseStartTicks } from '../host/proc-pid.ts'
import type { Options } from '../proc/options.ts'
import type { Described } from './container.ts'
import { readCgroups } from './own-cgroups.ts'

/** What is known of a container before its init is looked at. */
interface Found {
  pid: number
  /** Path in the mount namespace of process `pid`, or in the host's before pivot_root(2). */
  rootfs: string
  options?: Partial<Options>
}

/** Throws when there is no such process. */
export function readContainer(
  host: Host,
  id: string,
  { pid, rootfs, options = {} }: Found,
): Described {
  const startTicks = readStartTicks(host, pid)
  if (startTicks === undefined) throw new Error(`Cannot find process ${pid} of container ${id}`)
  return {
    id,
    pid,
    startTicks,
    cgroups: readCgroups(host, pid, id),
    rootfs,
    rootMount: readRootMount(host, pid, rootfs),
    options,
  }
}

/**
 * The root file system is mounted on `rootfs` before pivot_root(2) and on / afterwards; it stays the same mount. Returns
 * 0, which no mount has, where it cannot be told.
 */
function readRootMount(host: Host, pid: number, rootfs: string): number {
  const mountinfo = orUndefined(() => readMountsOf(host, pid)) ?? ''
  const mounts = new MountTree(parseMounts(mountinfo))
  const mount = mounts.find(rootfs) ?? mounts.find('/')
  return mount?.id ?? 0
}

/** When a process was created, in ticks after boot; `undefined` when no process has that pid, or it has ended. */
export function readStartTicks(host: Host, pid: number): number | undefined {
  const stat = host.tryRead(`proc/${pid}/stat`)
  return stat === undefined || isZombie(stat) ? undefined : parseStartTicks(stat)
}

/** A process that was seen once. Both fields are `undefined` where there is none. */
export interface KnownProcess {
  pid: number | undefined
  /** When the process was created: /proc/PID/stat field 22. */
  startTicks: number | undefined
}

/** Whether the process still runs: its pid alone may belong to another process by now. */
export function isAlive(host: Host, { pid, startTicks }: KnownProcess): boolean {
  if (pid === undefined || startTicks === undefined) return false
  return readStartTicks(host, pid) === startTicks
}

/** The 32-bit hash FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/, with a seed and a last mixing. */
export function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ seed
  const bytes = Buffer.from(text)
  // The loop goes by index: a hook has not run long enough for an iterator to be compiled.
  for (let i = 0; i < bytes.length; i++) value = Math.imul(value ^ (bytes[i] ?? 0), 0x01000193)
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}
