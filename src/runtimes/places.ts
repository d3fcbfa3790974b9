/**
 * Where a container that starts or ends changes a directory: what `procveil watch` has the kernel tell of. docker,
 * containerd, podman and CRI-O have none of their own here: the OCI runtime below each of them has a directory for every
 * container, which comes when that is created and goes when it is deleted.
 */

import type { Search } from './running.ts'

export interface Place {
  runtime: string
  /** The pattern of directories below the host's root in which each container has an entry. */
  pattern: string
  /** What an entry is. A container's directory is complete with one of `files`. */
  entries: 'directories' | 'files'
  files: readonly string[]
  /** What the names of entries begin with, before the id. */
  prefix: string
  /** What to search for the container of an entry: the entry's own directory where nothing is named. */
  roots?: readonly string[]
}

/** runc and youki write a state.json, crun a status. */
const OCI = { entries: 'directories', files: ['state.json', 'status'], prefix: '' } as const

const OCI_RUNTIMES: readonly string[] = ['runc', 'crun', 'youki']

/** What is in `searches` of runtimes that others run, and of those that run containers by themselves. */
export function placesOf(searches: readonly Search[]): Place[] {
  const places = searches.flatMap(({ runtime, roots }): Place[] => {
    if (OCI_RUNTIMES.includes(runtime)) {
      return roots.map(pattern => ({ runtime, pattern, ...OCI }))
    }
    if (runtime === 'isulad') {
      const files = ['pid', 'pid.file', 'config.v2.json']
      const isulad = { runtime, entries: 'directories', files, prefix: '', roots } as const
      // What it keeps on the disk is there for stopped containers, too.
      const states = roots.filter(root => !root.startsWith('var/lib/'))
      return states.map(root => ({ ...isulad, pattern: `${root}/*` }))
    }
    if (runtime === 'nspawn') {
      const nspawn = { runtime, entries: 'files', files: [], prefix: '' } as const
      return roots.map(pattern => ({ ...nspawn, pattern }))
    }
    if (runtime === 'lxc') {
      // LXC names the cgroup of a container, at the top of each hierarchy that it uses.
      const lxc = { runtime, entries: 'directories', files: [], prefix: 'lxc.payload.', roots }
      return CGROUPS.map(pattern => ({ ...lxc, entries: 'directories', pattern }))
    }
    return []
  })
  const known = new Set<string>()
  return places.filter(({ pattern, prefix }) => {
    const key = `${prefix}:${pattern.replace(/^\/+/, '')}`
    return !known.has(key) && known.add(key)
  })
}

/** The mount points of cgroup v2 and of those hierarchies of v1 and hybrid hosts that LXC always uses. */
const CGROUPS = ['sys/fs/cgroup', 'sys/fs/cgroup/systemd', 'sys/fs/cgroup/unified']
