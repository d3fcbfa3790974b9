/** The cgroups that are a container's own: those that its init was put into, not one that it moved itself to. */

import { type CgroupPaths, parseCgroupPaths, readHierarchies } from '../cgroup/hierarchy.ts'
import type { Host } from '../host/host.ts'
import { parseParent } from '../host/proc-pid.ts'

/** A process is in at most some 15 hierarchies, and fs/kernfs cuts no path shorter than PATH_MAX, 4096. */
const MOST_CGROUP_BYTES = 128 * 1024

/**
 * The container's cgroup for each controller that /proc/PID/cgroup lists. It is `/`, which means none, where the
 * container shares the cgroup of its runtime (which is ours when we run as a hook): that one counts for others too.
 * Throws when there is no such process.
 */
export function readCgroups(host: Host, pid: number, id: string): CgroupPaths {
  const paths = parseCgroupPaths(host.read(`proc/${pid}/cgroup`, MOST_CGROUP_BYTES))
  const ours = parseCgroupPaths(host.tryRead('proc/self/cgroup') ?? '')
  const own: Record<string, string> = {}
  for (const [controller, path] of Object.entries(paths)) {
    own[controller] = path === ours[controller] ? '/' : ownPath(path, id)
  }
  if (isLeftUnified(host, pid, id, paths)) own[''] = '/'
  return own
}

/** Whether one of a container's cgroups is there, or it cannot be told: it had none of its own. */
export function isLeft(host: Host, cgroups: CgroupPaths): boolean {
  const hierarchies = readHierarchies(host)
  const directories = Object.entries(cgroups).flatMap(([controller, path]) => {
    const mountPoint = hierarchies.get(controller)?.mountPoint
    return path === '/' || mountPoint === undefined ? [] : [`${mountPoint}${path}`]
  })
  return directories.length === 0 || directories.some(directory => host.has(directory))
}

/**
 * Whether a runtime that makes cgroups of v1 alone has left the container in its own cgroup of the unified hierarchy,
 * which counts for all its containers. The init's parent, a shim or the daemon itself, is in that one, too.
 */
function isLeftUnified(host: Host, pid: number, id: string, paths: CgroupPaths): boolean {
  const { '': unified, ...v1 } = paths
  if (unified === undefined || unified === '/' || Object.keys(v1).length === 0) return false
  const parents = readParentPaths(host, pid)
  if (parents[''] !== unified || unified.split('/').some(name => isNamedAfter(name, id)))
    return false
  // A monitor may be in a cgroup that was made for the container, as v1 tells.
  return !Object.entries(v1).some(
    ([controller, path]) => path !== parents[controller] && `${unified}/`.startsWith(`${path}/`),
  )
}

/** None where the parent cannot be found, such as outside our pid namespace. */
function readParentPaths(host: Host, pid: number): CgroupPaths {
  const parent = parseParent(host.tryRead(`proc/${pid}/stat`) ?? '')
  if (parent === undefined) return {}
  return parseCgroupPaths(host.tryRead(`proc/${parent}/cgroup`, MOST_CGROUP_BYTES) ?? '')
}

/** Names after an ID are `ID`, `libpod-ID.scope`, `cri-containerd-ID.scope`, `:youki:ID` and `lxc.payload.ID`. */
export function isNamedAfter(name: string, id: string): boolean {
  if (id === '') return false
  const bare = name.replace(/\.scope$/, '')
  return name === id || bare === id || /[-:.]$/.test(prefixOf(bare, id) ?? '')
}

const prefixOf = (name: string, end: string) =>
  name.endsWith(end) ? name.slice(0, name.length - end.length) : undefined

/**
 * The cgroup above `path` that has the container's limits and counts all its processes. systemd moves itself to
 * `init.scope` below that cgroup, other inits move to `init`; podman puts a container into `container` below its scope.
 */
export function ownPath(path: string, id: string): string {
  const own = path.endsWith('/init.scope') ? path.slice(0, -'/init.scope'.length) : path
  const moved = own !== path ? own.endsWith('/container') : own.endsWith('/init')
  return (moved ? findNamed(own, id) : undefined) ?? (own === '' ? '/' : own)
}

/** The deepest cgroup above `path` whose name has the container's id in it. */
function findNamed(path: string, id: string): string | undefined {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const name = path.slice(path.lastIndexOf('/', end - 1) + 1, end)
    if (name.includes(id)) return path.slice(0, end)
  }
  return undefined
}
