/**
 * Takes a keeper that some other process has started out of the cgroups of that process: the limits and the end of a
 * runtime, a shim or a container would be the keeper's too. The keeper also becomes one of the last processes that the
 * kernel kills for want of memory.
 */

import { writeFileSync } from 'node:fs'
import { readHierarchies } from '../../cgroup/hierarchy.ts'
import type { Host } from '../../host/host.ts'

/**
 * The keeper's oom_score_adj, which is that of other daemons that many depend on. With -1000, a leak of ours would
 * have everything else killed first.
 */
const OOM_SCORE_ADJ = -900

/**
 * Moves this process, with all of its threads, to the root of each cgroup hierarchy. `report` is told what has failed.
 */
export function leaveCgroups(host: Host, report: (message: string) => void): void {
  const mountPoints = new Set<string>()
  for (const { mountPoint } of readHierarchies(host).values()) mountPoints.add(mountPoint)
  for (const mountPoint of mountPoints) {
    attempt(report, host.path(`${mountPoint}/cgroup.procs`), String(process.pid))
  }
  attempt(report, '/proc/self/oom_score_adj', String(OOM_SCORE_ADJ))
}

function attempt(report: (message: string) => void, file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (cause) {
    report(`cannot write ${text} to ${file}: ${(cause as Error).message}`)
  }
}
