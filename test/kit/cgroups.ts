/** Cgroup directories of this machine, whichever versions it has mounted. */

import { existsSync, readFileSync } from 'node:fs'
import { parseCgroupPaths, parseHierarchies } from '../../src/cgroup/hierarchy.ts'

/** Directories of all cgroups that the process is in. */
export function cgroupsOf(pid: number): string[] {
  const hierarchies = parseHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'), mountPoint =>
    readFileSync(`/${mountPoint}/cgroup.controllers`, 'utf8'),
  )
  const paths = parseCgroupPaths(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))
  return Object.entries(paths).flatMap(([controller, path]) => {
    const hierarchy = hierarchies.get(controller)
    return hierarchy === undefined ? [] : [`/${hierarchy.mountPoint}${path}`]
  })
}

export function memoryCgroupOf(pid: number): string {
  const directory = cgroupsOf(pid).find(path => existsSync(`${path}/memory.stat`))
  if (directory === undefined) throw new Error(`Cannot find the memory cgroup of ${pid}`)
  return directory
}

/** A command line that runs what is added to it as a process of these cgroups. */
export function withinCgroups(directories: readonly string[]): string[] {
  const moves = directories.map(directory => `echo $$ > ${directory}/cgroup.procs`)
  return ['sh', '-c', `${moves.join(' && ')} && exec "$@"`, 'sh']
}
