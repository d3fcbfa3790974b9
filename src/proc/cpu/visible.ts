/**
 * How many CPUs a container sees, and which ones of the host they stand for. Every file that counts CPUs
 * asks here, because readers compare the files with each other.
 */

import type { CpuQuota } from '../../cgroup/cpu.ts'
import type { Options } from '../options.ts'

export interface VisibleCpus {
  /** The host's numbers of the CPUs the container may run on, ascending; never empty. */
  effective: readonly number[]
  /** CPUs to show, 1 to `effective.length`: the virtual CPU i stands for `effective[i]`. */
  count: number
  /**
   * CPU time that the container can use in a unit of time, at most `count`. It is not whole under a fractional quota.
   */
  quotaCpus: number
}

export function visibleCpus(
  online: readonly number[],
  cpuset: readonly number[] | undefined,
  quota: CpuQuota | undefined,
  options: Pick<Options, 'cpuQuota'>,
): VisibleCpus {
  const effective = effectiveCpus(online, cpuset)
  if (quota === undefined || options.cpuQuota === 'off') {
    return { effective, count: effective.length, quotaCpus: effective.length }
  }
  // The quotient is whole only if the quota is a multiple of the period: a period is at most 10^6 us, so a
  // remainder shows in a double up to 10^9 CPUs.
  const quotaCpus = Math.min(quota.quotaUsec / quota.periodUsec, effective.length)
  return { effective, count: Math.ceil(quotaCpus), quotaCpus }
}

/** Finds the CPUs of one container again and again: they are the same object for as long as they do not change. */
export class CpuFinder {
  readonly #options: Pick<Options, 'cpuQuota'>
  #online: readonly number[] | undefined
  #cpuset: readonly number[] | undefined
  #quota: CpuQuota | undefined
  #cpus: VisibleCpus | undefined

  constructor(options: Pick<Options, 'cpuQuota'>) {
    this.#options = options
  }

  find(
    online: readonly number[],
    cpuset: readonly number[] | undefined,
    quota: CpuQuota | undefined,
  ): VisibleCpus {
    const isKnown =
      online === this.#online &&
      cpuset === this.#cpuset &&
      quota?.quotaUsec === this.#quota?.quotaUsec &&
      quota?.periodUsec === this.#quota?.periodUsec
    if (isKnown && this.#cpus !== undefined) return this.#cpus
    this.#online = online
    this.#cpuset = cpuset
    this.#quota = quota
    const cpus = visibleCpus(online, cpuset, quota, this.#options)
    if (this.#cpus === undefined || !isSame(cpus, this.#cpus)) this.#cpus = cpus
    return this.#cpus
  }
}

function isSame(one: VisibleCpus, other: VisibleCpus): boolean {
  if (one.count !== other.count || one.quotaCpus !== other.quotaCpus) return false
  if (one.effective === other.effective) return true
  if (one.effective.length !== other.effective.length) return false
  return one.effective.every((cpu, i) => cpu === other.effective[i])
}

/** A cpuset without any online CPU cannot hold a running task, so it is stale, and the host's CPUs count. */
function effectiveCpus(
  online: readonly number[],
  cpuset: readonly number[] | undefined,
): readonly number[] {
  const cpus = cpuset === undefined ? NONE : inBoth(cpuset, online)
  if (cpus.length > 0) return cpus
  return online.length > 0 ? online : FIRST
}

const NONE: readonly number[] = []
const FIRST: readonly number[] = [0]

/** The numbers of the first list that are in the other one, too: mostly that is all of them. Both ascend. */
function inBoth(list: readonly number[], other: readonly number[]): readonly number[] {
  let at = 0
  for (let i = 0; i < list.length; i++) {
    const number = list[i] ?? 0
    while (at < other.length && (other[at] ?? 0) < number) at++
    if (other[at] === number) continue
    const others = new Set(other)
    return list.filter(each => others.has(each))
  }
  return list
}
