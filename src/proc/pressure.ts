/**
 * /proc/pressure/*, accounting/psi.rst: the text of the container's own cgroup, which has the same format.
 * A kernel that does not count by cgroup, or not for this one, leaves the host's.
 */

import type { View } from './view.ts'

export type PressureResource = 'cpu' | 'io' | 'irq' | 'memory'

/** Throws when neither the cgroup nor the host has such a file. */
export function renderPressure(view: View, resource: PressureResource): string {
  const own = view.options.pressure === 'host' ? undefined : view.pressure(`${resource}.pressure`)
  if (own === undefined || !isPressure(own)) return view.hostFile(`proc/pressure/${resource}`)
  return own.endsWith('\n') ? own : `${own}\n`
}

/** irq has no `some` line, and older kernels have no `full` one for cpu. */
const isPressure = (text: string) =>
  /^(?:(?:some|full) avg10=\d+\.\d\d avg60=\d+\.\d\d avg300=\d+\.\d\d total=\d{1,19}(?:\n|$)){1,2}$/.test(
    text,
  )
