/** Which cgroups keep a process frozen: cgroup-v2.rst, "cgroup.freeze"; cgroup-v1/freezer-subsystem.rst. */

import type { Host } from '../host/host.ts'
import { parseCgroupPaths, readHierarchies } from './hierarchy.ts'

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
