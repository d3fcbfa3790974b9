/** Load averages by the kernel's own arithmetic: kernel/sched/loadavg.c and include/linux/sched/loadavg.h. */

/** Averages over 1, 5 and 15 minutes in fixed point with 11 bits behind the point. */
export type Loads = readonly [number, number, number]

/** What threads do. */
export interface Threads {
  /** Those that run or could run. */
  running: number
  /** Those in uninterruptible sleep. */
  blocked: number
}

export interface Load extends Threads {
  loads: Loads
  threads: number
  /** The newest pid that was seen, as the container numbers them. */
  lastPid: number
}

export const NO_LOADS: Loads = [0, 0, 0]

/** The time between two steps of the averages, LOAD_FREQ. */
export const LOAD_PERIOD_USEC = 5_000_000

/** This many steps are more than 16 minutes: after that nearly only the present counts. */
const MOST_STEPS = 200

const FIXED_BITS = 11

export const FIXED_1 = 1 << FIXED_BITS

/** What is left of each average after a period: EXP_1, EXP_5 and EXP_15. */
const DECAY: Loads = [1884, 2014, 2037]

/** The averages after `steps` periods with `active` threads running or blocked in each. */
export function stepLoads(loads: Loads, active: number, steps = 1): Loads {
  let stepped = loads
  for (let step = Math.min(steps, MOST_STEPS); step >= 1; step--) {
    const [one, five, fifteen] = stepped
    stepped = [
      stepLoad(one, DECAY[0], active),
      stepLoad(five, DECAY[1], active),
      stepLoad(fifteen, DECAY[2], active),
    ]
  }
  return stepped
}

/** calc_load() rounds up on the way up, so that a steady load is reached. */
function stepLoad(load: number, decay: number, activeThreads: number): number {
  const active = activeThreads * FIXED_1
  const sum = load * decay + active * (FIXED_1 - decay)
  return Math.floor((active >= load ? sum + FIXED_1 - 1 : sum) / FIXED_1)
}
