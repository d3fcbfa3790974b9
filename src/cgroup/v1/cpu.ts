/** The cpu and cpuset hierarchies of cgroup v1: sched/bandwidth.rst, cpuset(7). */

import { type CpuBandwidth, type CpuQuota, makeQuota, smallerQuota } from '../cpu.ts'
import { type Cpuset, findCpus } from '../cpuset.ts'
import type { Group } from '../group.ts'
import { memoize } from '../memoize.ts'
import { parseCount } from '../numbers.ts'

export class CpuBandwidthV1 implements CpuBandwidth {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  quota(): CpuQuota | undefined {
    let quota: CpuQuota | undefined
    for (const level of this.#group.levels()) {
      // -1 is no quota, and no count either.
      const quotaUsec = parseCount(level.read('cpu.cfs_quota_us'))
      if (quotaUsec === undefined) continue
      const periodUsec = parseCount(level.read('cpu.cfs_period_us'))
      quota = smallerQuota(quota, makeQuota(quotaUsec, periodUsec))
    }
    return quota
  }
}

export class CpusetV1 implements Cpuset {
  readonly #group: Group
  readonly #find = memoize(findCpus)

  constructor(group: Group) {
    this.#group = group
  }

  /**
   * `cpuset.cpus` may name CPUs that an ancestor does not have or that are offline, `effective_cpus` does
   * not. A cgroup that nobody has set up yet has both empty.
   */
  cpus(): number[] | undefined {
    for (const level of this.#group.levels()) {
      const cpus =
        this.#find(level.read('cpuset.effective_cpus')) ?? this.#find(level.read('cpuset.cpus'))
      if (cpus !== undefined) return cpus
    }
    return undefined
  }
}
