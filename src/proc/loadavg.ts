/** /proc/loadavg, proc_loadavg(5), of the container's own threads. */

import { FIXED_1, type Load } from './load.ts'
import type { View } from './view.ts'

export function renderLoadavg(view: View): string {
  const load = view.options.loadavg === 'off' ? undefined : view.load()
  return load === undefined ? view.hostFile('proc/loadavg') : renderLoad(load)
}

/** The line as fs/proc/loadavg.c writes it. At least one thread runs: the one that reads. */
export function renderLoad({ loads, running, threads, lastPid }: Load): string {
  const [one, five, fifteen] = loads
  const averages = `${renderAverage(one)} ${renderAverage(five)} ${renderAverage(fifteen)}`
  const atLeastOne = Math.max(running, 1)
  return `${averages} ${atLeastOne}/${Math.max(threads, atLeastOne)} ${lastPid}\n`
}

/** get_avenrun() adds half a hundredth, so cutting rounds. */
function renderAverage(load: number): string {
  const shown = load + Math.floor(FIXED_1 / 200)
  const hundredths = Math.floor(((shown % FIXED_1) * 100) / FIXED_1)
  return `${Math.floor(shown / FIXED_1)}.${String(hundredths).padStart(2, '0')}`
}
