/**
 * /proc/uptime, proc_uptime(5): the time since the container's creation, or what its time namespace says, and the idle
 * time of all its CPUs, the same as in its /proc/stat.
 */

import { IDLE, toTicks } from './cpu/time.ts'
import type { View } from './view.ts'

export function renderUptime(view: View): string {
  const uptimeUsec = view.options.uptime === 'host' ? undefined : view.uptimeUsec()
  if (uptimeUsec === undefined) return view.hostFile('proc/uptime')
  const uptime = renderSeconds(Math.max(uptimeUsec, 0))
  const { numbers, at } = view.cpuTimes()
  return `${uptime} ${renderSeconds(numbers[at + IDLE] as number)}\n`
}

/** fs/proc/uptime.c cuts to hundredths and does not round. */
function renderSeconds(usec: number): string {
  const hundredths = toTicks(usec)
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`
}
