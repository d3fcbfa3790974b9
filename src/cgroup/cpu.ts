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
  /** By the host's CPU number, where the kernel counts so. */
  perCpu: ReadonlyMap<number, { userUsec: number; systemUsec: number }> | undefined
}

export interface CpuUsageReader {
  usage(): CpuUsage | undefined
}

/** The kernel's default, sched/bandwidth.rst; also what a `cpu.max` with one number means. */
export const DEFAULT_PERIOD_USEC = 100_000

/** The one that gives less CPU time; the first when they give the same. */
export function smallerQuota(
  a: CpuQuota | undefined,
  b: CpuQuota | undefined,
): CpuQuota | undefined {
  if (a === undefined || b === undefined) return a ?? b
  // Cross products may pass 2^53.
  const less =
    BigInt(b.quotaUsec) * BigInt(a.periodUsec) < BigInt(a.quotaUsec) * BigInt(b.periodUsec)
  return less ? b : a
}

/** A quota of no time is none: the kernel takes nothing under 1 ms and writes -1 for "no limit". */
export function makeQuota(
  quotaUsec: number | undefined,
  periodUsec: number | undefined,
): CpuQuota | undefined {
  if (quotaUsec === undefined || periodUsec === undefined) return undefined
  return quotaUsec > 0 && periodUsec > 0 ? { quotaUsec, periodUsec } : undefined
}

/** A u64 that a cgroup file gives, blanks around it allowed; `undefined` for anything else. */
export function parseCount(text: string | undefined): number | undefined {
  return text === undefined ? undefined : scanCount(text, 0, text.length)
}

/** As `parseCount`, of the text from `start` to `end`. */
export function scanCount(text: string, start: number, end: number): number | undefined {
  let at = start
  let last = end
  while (at < last && isBlank(text.charCodeAt(at))) at++
  while (last > at && isBlank(text.charCodeAt(last - 1))) last--
  const digits = last - at
  if (digits < 1 || digits > MOST_DIGITS) return undefined
  let value = 0
  for (let i = at; i < last; i++) {
    const digit = text.charCodeAt(i) - ZERO
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  // Beyond the exact numbers each step may round: once is enough.
  return digits <= EXACT_DIGITS ? value : Number(text.slice(at, last))
}

/** Of a u64. */
const MOST_DIGITS = 20
const EXACT_DIGITS = 15
const ZERO = 48

/** A space, or a control that C's isspace(3) takes for one. */
const isBlank = (code: number) => code === 32 || (code >= 9 && code <= 13)

/** Nanoseconds as whole microseconds. */
export function parseNanoseconds(text: string | undefined): number | undefined {
  const nanoseconds = parseCount(text)
  return nanoseconds === undefined ? undefined : Math.floor(nanoseconds / 1000)
}

/** The number behind `key ` in a flat keyed file, cgroup-v2.rst "Format"; the key is matched whole. */
export function findCount(text: string, key: string): number | undefined {
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    if (text.startsWith(key, at) && text[at + key.length] === ' ') {
      return scanCount(text, at + key.length, end)
    }
  }
  return undefined
}
