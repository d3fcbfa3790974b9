/** Whose view the files at the top of the mount show: that of the process that reads them. */

import { type CgroupPaths, parseCgroupPaths } from '../cgroup/hierarchy.ts'
import type { Host } from '../host/host.ts'
import type { Directory } from './directory.ts'
import { readStartTicks } from './identity.ts'

/** A caller that no registered container contains. */
export interface Caller {
  /** Equal for processes that see the same. */
  key: string
  cgroups: CgroupPaths
  /** The init of the caller's pid namespace; both `undefined` for a process of the host. */
  pid: number | undefined
  startTicks: number | undefined
}

/** A registered container's slot, or the caller by itself; `undefined` when there is no such process. */
export function findCaller(
  host: Host,
  directory: Directory,
  pid: number,
): { slot: number } | Caller | undefined {
  const text = host.tryRead(`proc/${pid}/cgroup`)
  if (text === undefined) return undefined
  const cgroups = parseCgroupPaths(text)
  const slot = directory.findNearest(cgroups)
  if (slot !== undefined) return { slot }
  const init = findInit(host, pid)
  if (init === undefined) return { key: text, cgroups, pid: undefined, startTicks: undefined }
  const startTicks = readStartTicks(host, init)
  const initText = host.tryRead(`proc/${init}/cgroup`) ?? text
  return {
    key: `${init} ${startTicks} ${initText}`,
    cgroups: parseCgroupPaths(initText),
    pid: init,
    startTicks,
  }
}

/**
 * Parents lead to the pid namespace's init, since it adopts every orphan there. A process that entered the
 * namespace from outside has its parent outside too and finds none.
 */
function findInit(host: Host, pid: number): number | undefined {
  const depth = namespacePids(host, pid)?.length ?? 1
  if (depth === 1) return undefined
  let current = pid
  for (;;) {
    const pids = namespacePids(host, current)
    if (pids === undefined || pids.length < depth) return undefined
    if (pids.length === depth && pids[depth - 1] === 1) return current
    const parent = statusField(host, current, 'PPid')
    if (parent === undefined || Number(parent) <= 1) return undefined
    current = Number(parent)
  }
}

/** A process's pid in each pid namespace from ours down to its own. */
function namespacePids(host: Host, pid: number): number[] | undefined {
  return statusField(host, pid, 'NSpid')?.split('\t').map(Number)
}

/** /proc/PID/status, proc_pid_status(5). */
function statusField(host: Host, pid: number, name: string): string | undefined {
  const status = host.tryRead(`proc/${pid}/status`)
  const start = status?.indexOf(`\n${name}:\t`) ?? -1
  if (status === undefined || start < 0) return undefined
  return status.slice(start + name.length + 3, status.indexOf('\n', start + 1))
}
