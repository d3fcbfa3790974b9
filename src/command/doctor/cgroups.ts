/** Checks which cgroup hierarchies this host has, cgroups(7): a container's files are made of them. */

import type { Host } from '../../host/host.ts'
import { eachMount } from '../../host/mountinfo.ts'
import { about, type Finding } from './finding.ts'

/** The controllers that the files need, and what is shown where one is missing. v1 calls `io` blkio. */
const NEEDED = [
  { names: ['memory'], shown: "meminfo and swaps are the host's" },
  { names: ['cpu'], shown: 'a CPU quota does not count' },
  { names: ['cpuset'], shown: "a container's CPUs are all of the host's" },
  { names: ['io', 'blkio'], shown: 'diskstats counts nothing' },
] as const

const { ok, warning, problem } = about('cgroups')

export function checkCgroups(host: Host): Finding[] {
  const { v1, unified } = readMounts(host)
  if (v1.size === 0 && unified === undefined) {
    return [problem('no cgroup file system is mounted', 'mount it: see cgroups(7)')]
  }
  const v2 = new Set(words(unified && host.tryRead(`${unified}/cgroup.controllers`)))
  const layout =
    unified === undefined ? 'v1' : v1.size === 0 ? 'v2' : v2.size === 0 ? 'v1, hybrid' : 'hybrid'
  const named = [
    ...(v1.size > 0 ? [`v1 has ${[...v1.keys()].sort().join(' ')}`] : []),
    ...(v2.size > 0 ? [`v2 has ${[...v2].sort().join(' ')}`] : []),
  ].join(', ')
  const missing = NEEDED.filter(({ names }) => !names.some(name => v1.has(name) || v2.has(name)))
  return [
    ok(`layout ${layout}: ${named || 'without controllers'}`),
    ...missing.map(({ names: [name], shown }) =>
      warning(
        `there is no controller ${name}: ${shown}`,
        `look for cgroup_disable= in /proc/cmdline; some systems need cgroup_enable=${name} there`,
      ),
    ),
    ...checkSwap(host, v1.get('memory')),
  ]
}

/** v1 counts swap only where it is told to at boot: cgroup-v1/memory.rst. */
function checkSwap(host: Host, memory: string | undefined): Finding[] {
  if (memory === undefined || host.has(`${memory}/memory.memsw.usage_in_bytes`)) return []
  return [
    warning(
      'the memory controller counts no swap: containers see none',
      'boot with swapaccount=1 to have it shown',
    ),
  ]
}

/** Mount points without a leading slash. */
interface Mounts {
  /** The mount point of each controller. */
  v1: Map<string, string>
  unified: string | undefined
}

function readMounts(host: Host): Mounts {
  const mounts: Mounts = { v1: new Map(), unified: undefined }
  eachMount(host.tryRead('proc/self/mountinfo') ?? '', ({ fsType, root, mountPoint, ...mount }) => {
    if (root !== '/') return
    const path = mountPoint.slice(1)
    if (fsType === 'cgroup2') mounts.unified ??= path
    if (fsType !== 'cgroup') return
    for (const name of mount.superOptions.split(',')) {
      if (!OPTIONS.has(name) && !name.includes('=')) mounts.v1.set(name, path)
    }
  })
  return mounts
}

/** Mount options that stand between the names of controllers. */
const OPTIONS: ReadonlySet<string> = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children'])

const words = (text: string | undefined) => (text ?? '').split(/\s+/).filter(word => word !== '')
