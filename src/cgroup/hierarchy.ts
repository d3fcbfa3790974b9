/**
 * Which cgroup file systems this host has, and where a process stands in them: cgroups(7).
 * A hybrid host has both kinds, so everything is asked per controller. The unified hierarchy's own name is ''.
 */

import type { Host } from '../host/host.ts'
import { eachMount } from '../host/mountinfo.ts'

export interface Hierarchy {
  version: 1 | 2
  /** Path below the host's root, without a leading slash: `sys/fs/cgroup/memory`. */
  mountPoint: string
}

/** Hierarchy by controller name; the cgroup2 mount is also under ''. */
export type Hierarchies = ReadonlyMap<string, Hierarchy>

/** Cgroup path by controller name, as /proc/PID/cgroup lists them; that of the unified hierarchy is under ''. */
export type CgroupPaths = Readonly<Record<string, string>>

/**
 * Hierarchies from the text of /proc/self/mountinfo. `controllersOf` reads `cgroup.controllers` of the
 * cgroup2 mount: a controller is there only if no v1 hierarchy has it.
 */
export function parseHierarchies(
  mountinfo: string,
  controllersOf: (mountPoint: string) => string,
): Hierarchies {
  const hierarchies = new Map<string, Hierarchy>()
  eachMount(mountinfo, mount => {
    // A bind of a part of a hierarchy cannot be walked up to its root.
    if (mount.root !== '/') return
    const mountPoint = mount.mountPoint.slice(1)
    if (mount.fsType === 'cgroup') {
      for (const name of mount.superOptions.split(',')) {
        if (!hierarchies.has(name)) hierarchies.set(name, { version: 1, mountPoint })
      }
    } else if (mount.fsType === 'cgroup2' && !hierarchies.has('')) {
      hierarchies.set('', { version: 2, mountPoint })
    }
  })
  const unified = hierarchies.get('')
  if (unified !== undefined) {
    for (const name of words(controllersOf(unified.mountPoint))) {
      if (!hierarchies.has(name)) hierarchies.set(name, unified)
    }
  }
  return hierarchies
}

export function readHierarchies(host: Host): Hierarchies {
  return parseHierarchies(
    host.read('proc/self/mountinfo'),
    mountPoint => host.tryRead(`${mountPoint}/cgroup.controllers`) ?? '',
  )
}

/** Parses lines `ID:controller[,controller]:/path`; only the first two colons separate. */
export function parseCgroupPaths(text: string): CgroupPaths {
  const paths: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const first = line.indexOf(':')
    const second = line.indexOf(':', first + 1)
    if (second < 0) continue
    const path = line.slice(second + 1)
    for (const name of line.slice(first + 1, second).split(',')) {
      if (!name.startsWith('name=')) paths[name] = path
    }
  }
  return paths
}

const words = (text: string) => text.split(/\s+/).filter(word => word !== '')
