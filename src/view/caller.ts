/** Whose view the files at the top of the mount show: that of the process that reads them. */

import { type CgroupPaths, parseCgroupPaths } from '../cgroup/hierarchy.ts'
import type { RegistryIndex } from '../container/registry-index.ts'
import type { Host } from '../host/host.ts'
import type { Init, PidNamespaces } from './pid-namespaces.ts'

/** A caller that no registered container contains. */
interface Caller {
  /** The key is equal for processes that see the same. */
  key: string
  cgroups: CgroupPaths
  /** Who has made this caller's surroundings, for all we know: the wider one first. */
  owners: () => readonly string[]
  /** Pid of the init in the caller's pid namespace. It and `startTicks` are `undefined` for a process of the host. */
  pid: number | undefined
  startTicks: number | undefined
}

/**
 * The slot of the registered container that process `pid` is in, else the caller by itself. `cgroups` is what the
 * kernel says in its /proc/PID/cgroup.
 */
export function findCaller(
  host: Host,
  index: RegistryIndex,
  namespaces: PidNamespaces,
  { pid, cgroups: text }: { pid: number; cgroups: string },
): { slot: number } | Caller {
  const cgroups = parseCgroupPaths(text)
  const slot = index.findNearest(cgroups)
  if (slot !== undefined) return { slot }
  const init = namespaces.findInit(pid)
  if (init === undefined) {
    const owners = () => [upperPart(cgroups)]
    return { key: text, cgroups, owners, pid: undefined, startTicks: undefined }
  }
  const initText = host.tryRead(`proc/${init.pid}/cgroup`) ?? text
  const initCgroups = parseCgroupPaths(initText)
  return {
    key: `${init.pid} ${init.startTicks} ${initText}`,
    cgroups: initCgroups,
    owners: () => ownersOf(host, init, initCgroups),
    pid: init.pid,
    startTicks: init.startTicks,
  }
}

/**
 * The upper part of the cgroup's path, and the outermost init. One user makes many inits, and one upper part may hold
 * the containers of many.
 */
function ownersOf(host: Host, init: Init, cgroups: CgroupPaths): string[] {
  const { pid, outermost = pid } = init
  const text = outermost === pid ? undefined : host.tryRead(`proc/${outermost}/cgroup`)
  return [upperPart(text === undefined ? cgroups : parseCgroupPaths(text)), `init ${outermost}`]
}

/**
 * The first two names of a cgroup's path, which nobody without privilege can leave: `/user.slice/user-1000.slice`,
 * `/docker/ID`, but also `/kubepods.slice/kubepods-burstable.slice`, where many pods are. The cgroups below may be of the
 * caller's own making.
 */
function upperPart(cgroups: CgroupPaths): string {
  const path = cgroups[''] ?? '/'
  const told = path === '/' ? Object.values(cgroups).find(each => each !== '/') : path
  return (told ?? '/').split('/').slice(0, 3).join('/')
}
