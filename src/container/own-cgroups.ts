/** The cgroups that are a container's own: those that its init was put into, not one that it moved itself to. */

import { type CgroupPaths, parseCgroupPaths } from '../cgroup/hierarchy.ts'
import type { Host } from '../host/host.ts'

/**
 * By the controllers that /proc/PID/cgroup lists; throws when there is no such process. Where a container shares
 * the cgroup of its runtime, which is ours when we run as a hook, that counts for others too: it is none, `/`.
 */
export function readCgroups(host: Host, pid: number, id: string): CgroupPaths {
  const paths = parseCgroupPaths(host.read(`proc/${pid}/cgroup`))
  const ours = parseCgroupPaths(host.tryRead('proc/self/cgroup') ?? '')
  const own: Record<string, string> = {}
  for (const [controller, path] of Object.entries(paths)) {
    own[controller] = path === ours[controller] ? '/' : ownPath(path, id)
  }
  return own
}

/**
 * systemd moves itself to `init.scope` below its cgroup, others to `init`; podman puts a container below its scope
 * into `container`. Limits and all processes are then counted above.
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
