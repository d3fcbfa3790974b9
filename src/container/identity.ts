/** Finds out which process a container's init is, by pid: what a registration records. */

import { parseCgroupPaths } from '../cgroup/hierarchy.ts'
import type { Host } from '../host/host.ts'
import { parseStartTicks } from '../host/process.ts'
import { type Container, MAX_SLOT } from './container.ts'

/** Throws when there is no such process. */
export function readContainer(host: Host, id: string, pid: number, rootfs: string): Container {
  const startTicks = readStartTicks(host, pid)
  if (startTicks === undefined) throw new Error(`Cannot find process ${pid} of container ${id}`)
  return {
    id,
    pid,
    startTicks,
    slot: newSlot(),
    cgroups: parseCgroupPaths(host.read(`proc/${pid}/cgroup`)),
    rootfs,
  }
}

/** `undefined` when there is no process with that pid. */
export function readStartTicks(host: Host, pid: number): number | undefined {
  const stat = host.tryRead(`proc/${pid}/stat`)
  return stat === undefined ? undefined : parseStartTicks(stat)
}

/** Whether the container's init still runs: its pid alone may belong to another process by now. */
export function isAlive(host: Host, container: Container): boolean {
  return readStartTicks(host, container.pid) === container.startTicks
}

/**
 * Chosen at random, so that no table of slots is kept anywhere, and a container started again under its old id
 * has nodes of its own.
 */
function newSlot(): number {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2))
  return 1 + (((high % 2 ** 12) * 2 ** 32 + low) % (MAX_SLOT - 1))
}
