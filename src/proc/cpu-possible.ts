/**
 * /sys/devices/system/cpu/possible, Documentation/ABI/testing/sysfs-devices-system-cpu. The file stays the host's
 * unless somebody insists: it sizes arrays that are indexed by the real CPU's number.
 */

import { renderCpuOnline } from './cpu-online.ts'
import type { View } from './view.ts'

export function renderCpuPossible(view: View): string {
  return view.options.maskPossible === 'on'
    ? renderCpuOnline(view)
    : view.hostFile('sys/devices/system/cpu/possible')
}
