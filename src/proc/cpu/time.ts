/** The time of one CPU by what it was spent on, and how files write it. */

/** The fields stand in the order of a `cpu` line of /proc/stat, proc_stat(5). */
export const CPU_TIME_FIELDS = [
  'userUsec',
  'niceUsec',
  'systemUsec',
  'idleUsec',
  'iowaitUsec',
  'irqUsec',
  'softirqUsec',
  'stealUsec',
  'guestUsec',
  'guestNiceUsec',
] as const

/** `guestUsec` and `guestNiceUsec` are parts of `userUsec` and `niceUsec`: never count them again. */
export type CpuTime = Readonly<Record<(typeof CPU_TIME_FIELDS)[number], number>>

export const NO_TIME: CpuTime = {
  userUsec: 0,
  niceUsec: 0,
  systemUsec: 0,
  idleUsec: 0,
  iowaitUsec: 0,
  irqUsec: 0,
  softirqUsec: 0,
  stealUsec: 0,
  guestUsec: 0,
  guestNiceUsec: 0,
}

export function addTime(a: CpuTime, b: CpuTime): CpuTime {
  const sum = { ...a }
  for (const field of CPU_TIME_FIELDS) sum[field] += b[field]
  return sum
}

/** What passed between two readings, never negative. */
export function timeSince(now: CpuTime, before: CpuTime): CpuTime {
  const passed = { ...now }
  for (const field of CPU_TIME_FIELDS) passed[field] = Math.max(now[field] - before[field], 0)
  return passed
}

/** Time in which the CPU could do nothing else; waiting for I/O leaves it free. */
export function busyUsec(time: CpuTime): number {
  return (
    time.userUsec +
    time.niceUsec +
    time.systemUsec +
    time.irqUsec +
    time.softirqUsec +
    time.stealUsec
  )
}

/**
 * A tick: USER_HZ is 100 on all architectures we run on, time(7). It is also the hundredth of a second that uptime
 * counts in.
 */
export const TICK_USEC = 10_000

/**
 * Whole ticks. Doubles leave a sum of thirds a hair short of the whole tick that it makes. A hundredth of a
 * microsecond, far below what the kernel counts, is added to bring it there.
 */
export function toTicks(usec: number): number {
  return Math.floor((usec + 0.01) / TICK_USEC)
}
