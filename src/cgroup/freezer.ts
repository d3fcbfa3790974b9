/** Which cgroups keep a process frozen: cgroup-v2.rst, "cgroup.freeze"; cgroup-v1/freezer-subsystem.rst. */

import type { Host } from '../host/host.ts'
import type { Group } from './group.ts'
import { parseCgroupPaths, readHierarchies } from './hierarchy.ts'
import { findCount } from './numbers.ts'

/** A cgroup that is asked to be frozen. */
export interface Freeze {
  /** Where its hierarchy is mounted, without the first slash. */
  mountPoint: string
  /** In its hierarchy, with a slash before each name. */
  path: string
  /** The file that `thawed` is to be written to. */
  file: string
  thawed: string
}

const FREEZERS = [
  { controller: '', asked: 'cgroup.freeze', file: 'cgroup.freeze', thawed: '0' },
  {
    ...{ controller: 'freezer', asked: 'freezer.self_freezing' },
    ...{ file: 'freezer.state', thawed: 'THAWED' },
  },
] as const

/** Of both versions, and of the cgroups above, which freeze a process as well. None for a process that has ended. */
export function findFreezes(host: Host, pid: number): Freeze[] {
  const cgroups = host.tryRead(`proc/${pid}/cgroup`)
  if (cgroups === undefined) return []
  const hierarchies = readHierarchies(host)
  const paths = parseCgroupPaths(cgroups)
  return FREEZERS.flatMap(({ controller, asked, file, thawed }) => {
    const mountPoint = hierarchies.get(controller)?.mountPoint
    if (mountPoint === undefined) return []
    return upwards(paths[controller] ?? '/')
      .filter(path => host.tryRead(`${mountPoint}${path}/${asked}`)?.trim() === '1')
      .map(path => ({ mountPoint, path, file, thawed }))
  })
}

/** `/a/b` and `/a`. */
function upwards(path: string): string[] {
  const names = path.split('/').filter(name => name !== '')
  return names.map((_, left) => `/${names.slice(0, names.length - left).join('/')}`)
}

/** A thread is in at most some 15 hierarchies, and fs/kernfs cuts no path shorter than PATH_MAX, 4096. */
const MOST_CGROUP_BYTES = 128 * 1024

/** Tells which threads are frozen by a cgroup of v1 below a container's own. Each of these cgroups is asked once. */
export class FrozenBelow {
  readonly #host: Host
  readonly #freezer: Group
  readonly #known = new Map<string, boolean>()
  /** Whether there are any cgroups below: few containers have some. */
  #isParent: boolean | undefined

  constructor(host: Host, freezer: Group) {
    this.#host = host
    this.#freezer = freezer
  }

  has(tid: number): boolean {
    this.#isParent ??= this.#freezer.children(1).length > 0
    if (!this.#isParent) return false
    const cgroups = this.#host.tryRead(`proc/${tid}/cgroup`, MOST_CGROUP_BYTES)
    const path = cgroups && parseCgroupPaths(cgroups).freezer
    if (path === undefined || !path.startsWith(`${this.#freezer.below}/`)) return false
    const known = this.#known.get(path)
    if (known !== undefined) return known
    const group = this.#freezer.sibling(path)
    const isFrozen = isFrozenV1(group)
    group.close()
    this.#known.set(path, isFrozen)
    return isFrozen
  }
}

/** Of a cgroup that is FREEZING some threads still run. One is FROZEN, too, where a cgroup above it is. */
export function isFrozenV1(freezer: Group): boolean {
  return freezer.read('freezer.state')?.trim() === 'FROZEN'
}

/** Whether all threads of the container are frozen: they are no load. */
export function isFrozen(tasks: Group, freezer: Group | undefined): boolean {
  if (freezer !== undefined && isFrozenV1(freezer)) return true
  return tasks.version === 2 && findCount(tasks.read('cgroup.events') ?? '', 'frozen') === 1
}
