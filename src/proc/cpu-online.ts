/**
 * /sys/devices/system/cpu/online, Documentation/ABI/testing/sysfs-devices-system-cpu. Only this file and
 * `offline` may be the container's: `possible` sizes arrays that are indexed by the real CPU's number.
 */

import { renderCpuList } from '../cgroup/cpuset.ts'
import type { VisibleCpus } from './cpu/visible.ts'
import type { Options } from './options.ts'
import type { View } from './view.ts'

export function renderCpuOnline(view: View): string {
  return `${renderCpuList(shownCpus(view.cpus(), view.options))}\n`
}

/** The numbers that the visible CPUs go by in sysfs. */
export function shownCpus(cpus: VisibleCpus, options: Pick<Options, 'cpuNumbering'>): number[] {
  if (options.cpuNumbering === 'real') return cpus.effective.slice(0, cpus.count)
  return Array.from({ length: cpus.count }, (_, i) => i)
}
