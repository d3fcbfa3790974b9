/**
 * What a container's cgroups tell, whatever their version: each controller is found in the hierarchy that has it and
 * read by that version's rules. The rules are chosen once, when they are first asked for; files are read at each call.
 */

import type { CpuBandwidth, CpuUsageReader } from './cpu.ts'
import type { Cpuset } from './cpuset.ts'
import type { Group } from './group.ts'
import type { Groups } from './groups.ts'
import type { CgroupPaths } from './hierarchy.ts'
import { Hugetlb } from './hugetlb.ts'
import type { IoReader } from './io.ts'
import type { MemoryReader } from './memory.ts'
import { CpuBandwidthV1, CpusetV1 } from './v1/cpu.ts'
import { CpuUsageV1 } from './v1/cpuacct.ts'
import { IoV1 } from './v1/io.ts'
import { MemoryV1 } from './v1/memory.ts'
import { CpuBandwidthV2, CpusetV2, CpuUsageV2 } from './v2/cpu.ts'
import { IoV2 } from './v2/io.ts'
import { MemoryV2 } from './v2/memory.ts'

/** The controllers that are read, and '' for the unified hierarchy's own files. */
const CONTROLLERS = [
  'memory',
  'hugetlb',
  'cpuset',
  'cpu',
  'cpuacct',
  'blkio',
  'io',
  'pids',
  'freezer',
  '',
] as const

type Controller = (typeof CONTROLLERS)[number]

/** So many inode numbers `identify` takes, in the order of CONTROLLERS, which servers of several versions keep. */
export const INODES = CONTROLLERS.length

const placeOf = new Map(CONTROLLERS.map((controller, i) => [controller, i]))

export class Cgroup {
  readonly #groups: Groups
  /** By place in CONTROLLERS. Controllers of one hierarchy have one group. */
  readonly #placed: readonly (Group | undefined)[]
  #memory: MemoryReader | undefined
  #hugetlb: Hugetlb | undefined
  #cpuset: Cpuset | undefined
  #cpuBandwidth: CpuBandwidth | undefined
  #cpuUsage: CpuUsageReader | undefined
  #io: IoReader | undefined

  constructor(groups: Groups, paths: CgroupPaths) {
    this.#groups = groups
    const placed: (Group | undefined)[] = []
    for (const controller of CONTROLLERS) {
      const group = groups.find(paths, controller)
      placed.push(placed.find(other => other?.path === group?.path) ?? group)
    }
    this.#placed = placed
  }

  get memory(): MemoryReader | undefined {
    const group = this.#find('memory')
    if (group === undefined) return undefined
    this.#memory ??= group.version === 1 ? new MemoryV1(group) : new MemoryV2(group)
    return this.#memory
  }

  get hugetlb(): Hugetlb | undefined {
    const group = this.#find('hugetlb')
    if (group !== undefined) this.#hugetlb ??= new Hugetlb(group)
    return this.#hugetlb
  }

  get cpuset(): Cpuset | undefined {
    const group = this.#find('cpuset')
    if (group === undefined) return undefined
    this.#cpuset ??= group.version === 1 ? new CpusetV1(group) : new CpusetV2(group)
    return this.#cpuset
  }

  get cpuBandwidth(): CpuBandwidth | undefined {
    const group = this.#find('cpu')
    if (group === undefined) return undefined
    this.#cpuBandwidth ??=
      group.version === 1 ? new CpuBandwidthV1(group) : new CpuBandwidthV2(group)
    return this.#cpuBandwidth
  }

  get cpuUsage(): CpuUsageReader | undefined {
    this.#cpuUsage ??= this.#openUsage()
    return this.#cpuUsage
  }

  /** cpu.stat is in every cgroup of the unified hierarchy, with or without the cpu controller. */
  #openUsage(): CpuUsageReader | undefined {
    const cpuacct = this.#find('cpuacct')
    const v1 = cpuacct?.version === 1 ? new CpuUsageV1(cpuacct, this.#groups.host) : undefined
    const { unified } = this
    const v2 = unified && new CpuUsageV2(unified)
    if (v1 === undefined || v2 === undefined) return v1 ?? v2
    return { usage: () => v1.usage() ?? v2.usage() }
  }

  get io(): IoReader | undefined {
    const group = this.#find('io') ?? this.#find('blkio')
    if (group === undefined) return undefined
    this.#io ??= group.version === 1 ? new IoV1(group) : new IoV2(group)
    return this.#io
  }

  /** Where the container's threads are listed. */
  get tasks(): Group | undefined {
    return this.#find('pids') ?? this.#find('cpu') ?? this.#find('memory') ?? this.unified
  }

  /** The freezer of v1, whose state tells frozen threads from blocked ones. */
  get freezer(): Group | undefined {
    const group = this.#find('freezer')
    return group?.version === 1 ? group : undefined
  }

  /** The unified hierarchy's cgroup: pressure files are only there, also on a hybrid host. */
  get unified(): Group | undefined {
    return this.#find('')
  }

  #find(controller: Controller): Group | undefined {
    return this.#placed[placeOf.get(controller) ?? -1]
  }

  /** All cgroups that are read, each once. */
  get groups(): readonly Group[] {
    const groups = new Set(this.#placed)
    groups.delete(undefined)
    return [...groups] as Group[]
  }

  /**
   * Tells these cgroups from others that come to their paths. `inodes` has the inode number of each controller's cgroup
   * as it was when the container was first seen, and 0 where it is not known: there it gets the one of now.
   */
  identify(inodes: Float64Array): void {
    this.#placed.forEach((group, i) => {
      const first = this.#placed.indexOf(group)
      const known = inodes[first] || undefined
      inodes[i] = (first < i ? known : group?.identify(known)) ?? 0
    })
  }

  /** The lines of /proc/PID/cgroup that placed the container in this cgroup: '' for the unified hierarchy's. */
  linesOf(group: Group): string[] {
    if (group.version === 2) return ['']
    return CONTROLLERS.filter((_, i) => this.#placed[i] === group)
  }

  /** Closes the files of all these cgroups. It is to be called when nobody reads them any more. */
  close(): void {
    for (const group of this.groups) group.close()
  }
}
