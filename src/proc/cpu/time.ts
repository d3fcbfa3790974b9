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

/** How many numbers a row of times has, and where some of them stand in it. */
export const TIME_FIELDS = CPU_TIME_FIELDS.length
export const USER = 0
export const NICE = 1
export const SYSTEM = 2
export const IDLE = 3
export const STEAL = 7

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

/**
 * The times of a container's CPUs, in rows of `CPU_TIME_FIELDS` from `at` on. They hold until the times of any container
 * are asked for again.
 */
export interface CpuTimes {
  readonly numbers: Float64Array
  /**
   * Where the row of all CPUs that were ever visible begins. Those that are hidden now count too, so it never falls when
   * fewer are visible. The rows of the visible CPUs follow.
   */
  readonly at: number
  /** How many CPUs are visible. */
  readonly count: number
}
