/**
 * CPU bandwidth and CPU time of a container, whatever its cgroups' version. Counters here are microseconds:
 * 2^53 of them are 285 years of one CPU, while v1's nanoseconds leave the exact numbers after 104 days.
 */

/** At most `quotaUsec` of CPU time in each `periodUsec`; both are positive. */
export interface CpuQuota {
  quotaUsec: number
  periodUsec: number
}

export interface CpuBandwidth {
  /** The smallest of the container's own quota and its ancestors'; `undefined` when none has one. */
  quota(): CpuQuota | undefined
}

/** CPU time by what it was spent on; `userUsec` is without the niced part. */
export interface CpuWork {
  userUsec: number
  niceUsec: number
  systemUsec: number
}

/** CPU time since the cgroup was made, its descendants included. */
export interface CpuUsage extends CpuWork {
  /** Work by CPU, where the kernel counts by CPU. */
  perCpu: CpuRows | undefined
}

/** The host's number of each CPU, ascending, and its user and system time: three numbers in a row. */
export interface CpuRows {
  readonly numbers: Float64Array
  readonly count: number
}

export interface CpuUsageReader {
  /** What is returned holds until the usage of another container is read: it is read all the time. */
  usage(): CpuUsage | undefined
}

/** The kernel's default period, sched/bandwidth.rst; a `cpu.max` with one number also means this period. */
export const DEFAULT_PERIOD_USEC = 100_000

/** The quota that gives less CPU time; `a` when both give the same. */
export function smallerQuota(
  a: CpuQuota | undefined,
  b: CpuQuota | undefined,
): CpuQuota | undefined {
  if (a === undefined || b === undefined) return a ?? b
  const one = a.quotaUsec * b.periodUsec
  const other = b.quotaUsec * a.periodUsec
  if (Math.max(one, other) <= Number.MAX_SAFE_INTEGER) return other < one ? b : a
  const isLess =
    BigInt(b.quotaUsec) * BigInt(a.periodUsec) < BigInt(a.quotaUsec) * BigInt(b.periodUsec)
  return isLess ? b : a
}

/** A quota of no time is none: the kernel takes nothing under 1 ms and writes -1 for "no limit". */
export function makeQuota(
  quotaUsec: number | undefined,
  periodUsec: number | undefined,
): CpuQuota | undefined {
  if (quotaUsec === undefined || periodUsec === undefined) return undefined
  return quotaUsec > 0 && periodUsec > 0 ? { quotaUsec, periodUsec } : undefined
}
