/**
 * What a container's cgroups tell, whatever their version: each controller is found in the hierarchy that has it and
 * read by that version's rules. The rules are chosen once; files are read at each call.
 */

import type { Host } from '../host/host.ts'
import type { CpuBandwidth, CpuUsageReader } from './cpu.ts'
import type { Cpuset } from './cpuset.ts'
import { findGroup, type Group } from './group.ts'
import type { CgroupPaths, Hierarchies } from './hierarchy.ts'
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

export interface Cgroup {
  readonly memory: MemoryReader | undefined
  readonly hugetlb: Hugetlb | undefined
  readonly cpuset: Cpuset | undefined
  readonly cpuBandwidth: CpuBandwidth | undefined
  readonly cpuUsage: CpuUsageReader | undefined
  readonly io: IoReader | undefined
  /** Where the container's threads are listed. */
  readonly tasks: Group | undefined
  /** The freezer of v1, whose state tells frozen threads from blocked ones. */
  readonly freezer: Group | undefined
  /** The unified hierarchy's cgroup: pressure files are only there, also on a hybrid host. */
  readonly unified: Group | undefined
  /** All cgroups that are read, by their line in /proc/PID/cgroup: '' for the unified hierarchy's. */
  readonly placed: ReadonlyMap<string, Group>
  /** Closes the files of all these cgroups. It is to be called when nobody reads them any more. */
  close(): void
}

/** `missed` is called when a file of one of the cgroups cannot be read. */
export function openCgroup(
  host: Host,
  hierarchies: Hierarchies,
  paths: CgroupPaths,
  missed?: () => void,
): Cgroup {
  const placed = new Map<string, Group>()
  const groups: Group[] = []
  const find = (controller: string) => {
    const group = findGroup({ host, hierarchies, paths, missed }, controller)
    if (group === undefined) return undefined
    groups.push(group)
    placed.set(group.version === 1 ? controller : '', group)
    return group
  }
  const memory = find('memory')
  const hugetlb = find('hugetlb')
  const cpuset = find('cpuset')
  const cpu = find('cpu')
  const cpuacct = find('cpuacct')
  const blkio = find('blkio')
  const unified = find('')
  const io = find('io') ?? blkio
  const freezer = find('freezer')
  return {
    memory: memory && (memory.version === 1 ? new MemoryV1(memory) : new MemoryV2(memory)),
    hugetlb: hugetlb && new Hugetlb(hugetlb),
    cpuset: cpuset && (cpuset.version === 1 ? new CpusetV1(cpuset) : new CpusetV2(cpuset)),
    cpuBandwidth: cpu && (cpu.version === 1 ? new CpuBandwidthV1(cpu) : new CpuBandwidthV2(cpu)),
    cpuUsage: openUsage(host, cpuacct, unified),
    io: io && (io.version === 1 ? new IoV1(io) : new IoV2(io)),
    tasks: find('pids') ?? cpu ?? memory ?? unified,
    freezer: freezer?.version === 1 ? freezer : undefined,
    unified,
    placed,
    close: () => {
      for (const group of groups) group.close()
    },
  }
}

/** cpu.stat is in every cgroup of the unified hierarchy, with or without the cpu controller. */
function openUsage(
  host: Host,
  cpuacct: Group | undefined,
  unified: Group | undefined,
): CpuUsageReader | undefined {
  const v1 = cpuacct?.version === 1 ? new CpuUsageV1(cpuacct, host) : undefined
  const v2 = unified && new CpuUsageV2(unified)
  if (v1 === undefined || v2 === undefined) return v1 ?? v2
  return { usage: () => v1.usage() ?? v2.usage() }
}
