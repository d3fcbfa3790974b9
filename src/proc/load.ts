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

const FIXED_BITS = 11

export const FIXED_1 = 1 << FIXED_BITS

/** What is left of each average after a period: EXP_1, EXP_5 and EXP_15. */
const DECAY: Loads = [1884, 2014, 2037]

/**
 * The averages after `steps` periods with `active` threads running or blocked in each, which may be a mean. Some
 * thousands of steps reach what stays the same.
 */
export function stepLoads(loads: Loads, active: number, steps = 1): Loads {
  const fixed = Math.round(active * FIXED_1)
  let stepped = loads
  for (let step = 0; step < steps; step++) {
    const [one, five, fifteen] = stepped
    stepped = [
      stepLoad(one, DECAY[0], fixed),
      stepLoad(five, DECAY[1], fixed),
      stepLoad(fifteen, DECAY[2], fixed),
    ]
    if (stepped[0] === one && stepped[1] === five && stepped[2] === fifteen) break
  }
  return stepped
}

/** calc_load() rounds up on the way up, so that a steady load is reached. */
function stepLoad(load: number, decay: number, active: number): number {
  const sum = load * decay + active * (FIXED_1 - decay)
  return Math.floor((active >= load ? sum + FIXED_1 - 1 : sum) / FIXED_1)
}
