/** The cpu and cpuset hierarchies of cgroup v1: sched/bandwidth.rst, cpuset(7). */

import { type CpuBandwidth, type CpuQuota, makeQuota, smallerQuota } from '../cpu.ts'
import { NearestCpuset } from '../cpuset.ts'
import type { Group } from '../group.ts'
import { parseCountBytes } from '../numbers.ts'

export class CpuBandwidthV1 implements CpuBandwidth {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  quota(): CpuQuota | undefined {
    let quota: CpuQuota | undefined
    for (const level of this.#group.levels()) {
      // -1 is no quota, and no count either.
      const quotaUsec = parseCountBytes(level.bytes('cpu.cfs_quota_us'))
      if (quotaUsec === undefined) continue
      const periodUsec = parseCountBytes(level.bytes('cpu.cfs_period_us'))
      quota = smallerQuota(quota, makeQuota(quotaUsec, periodUsec))
    }
    return quota
  }
}

/**
 * `cpuset.cpus` may name CPUs that an ancestor does not have or that are offline, which `cpuset.effective_cpus` does
 * not. In a cgroup that nobody has set up yet both are empty.
 */
export class CpusetV1 extends NearestCpuset {
  constructor(group: Group) {
    super(group, {
      cpus: ['cpuset.effective_cpus', 'cpuset.cpus'],
      mems: ['cpuset.effective_mems', 'cpuset.mems'],
    })
  }
}
