/**
 * /proc/loadavg, proc_loadavg(5), by the kernel's own arithmetic on the container's threads:
 * kernel/sched/loadavg.c and include/linux/sched/loadavg.h.
 */

import type { View } from './view.ts'

/** Averages over 1, 5 and 15 minutes in fixed point with 11 bits behind the point. */
export type Loads = readonly [number, number, number]

export interface Load {
  loads: Loads
  /** Threads that run or could run. */
  running: number
  /** Threads in uninterruptible sleep. */
  blocked: number
  threads: number
  /** As the container numbers them: the newest that was seen. */
  lastPid: number
}

export const NO_LOADS: Loads = [0, 0, 0]

/** LOAD_FREQ. */
export const LOAD_PERIOD_USEC = 5_000_000

/** More than 16 minutes: after that only the present counts, nearly. */
const MOST_STEPS = 200

const FIXED_BITS = 11
const FIXED_1 = 1 << FIXED_BITS

/** EXP_1, EXP_5, EXP_15: what is left of each average after a period. */
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

/** calc_load(): rounds up on the way up, so that a steady load is reached. */
function stepLoad(load: number, decay: number, activeThreads: number): number {
  const active = activeThreads * FIXED_1
  const sum = load * decay + active * (FIXED_1 - decay)
  return Math.floor((active >= load ? sum + FIXED_1 - 1 : sum) / FIXED_1)
}

export function renderLoadavg(view: View): string {
  const load = view.options.loadavg === 'off' ? undefined : view.load()
  return load === undefined ? view.hostFile('proc/loadavg') : formatLoad(load)
}

/** fs/proc/loadavg.c; whoever reads is running. */
export function formatLoad({ loads, running, threads, lastPid }: Load): string {
  const [one, five, fifteen] = loads
  const averages = `${formatAverage(one)} ${formatAverage(five)} ${formatAverage(fifteen)}`
  const atLeastOne = Math.max(running, 1)
  return `${averages} ${atLeastOne}/${Math.max(threads, atLeastOne)} ${lastPid}\n`
}

/** get_avenrun() adds half a hundredth, so cutting rounds. */
function formatAverage(load: number): string {
  const shown = load + Math.floor(FIXED_1 / 200)
  const hundredths = Math.floor(((shown % FIXED_1) * 100) / FIXED_1)
  return `${Math.floor(shown / FIXED_1)}.${String(hundredths).padStart(2, '0')}`
}
