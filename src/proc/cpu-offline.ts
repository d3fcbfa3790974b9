/**
 * /sys/devices/system/cpu/offline, Documentation/ABI/testing/sysfs-devices-system-cpu: the CPUs that the machine could
 * have and the container does not see. Where there is none, the text is a lone newline.
 */

import { parseCpuList, renderCpuList } from '../cgroup/cpuset.ts'
import { shownCpus } from './cpu-online.ts'
import type { View } from './view.ts'

export function renderCpuOffline(view: View): string {
  const possible = parseCpuList(view.hostFile('sys/devices/system/cpu/possible'))
  const shown = new Set(shownCpus(view.cpus(), view.options))
  return `${renderCpuList(possible.filter(cpu => !shown.has(cpu)))}\n`
}
