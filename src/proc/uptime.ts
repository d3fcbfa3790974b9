/**
 * /proc/uptime, proc_uptime(5): since the container's creation, and the idle time of all its CPUs, the same
 * as in its /proc/stat.
 */

import { toTicks } from './cpu-time.ts'
import type { View } from './view.ts'

export function renderUptime(view: View): string {
  const ageUsec = view.options.uptime === 'host' ? undefined : view.ageUsec()
  if (ageUsec === undefined) return view.hostFile('proc/uptime')
  const age = renderSeconds(Math.max(ageUsec, 0))
  return `${age} ${renderSeconds(view.cpuTimes().total.idleUsec)}\n`
}

/** fs/proc/uptime.c cuts to hundredths, it does not round. */
function renderSeconds(usec: number): string {
  const hundredths = toTicks(usec)
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`
}
