/** What a view says of a container's CPUs, for the tests of this folder. */

import { DEFAULT_OPTIONS, type Options } from '../../../src/proc/options.ts'
import type { View } from '../../../src/proc/view.ts'

/** A view of these CPUs of the host, of which `count` are shown. It has the host's files by path. */
export function cpuView(
  effective: readonly number[],
  options: Partial<Options> = {},
  { count = effective.length, files = {} as Readonly<Record<string, string>> } = {},
): View {
  const cpus = { effective, count, quotaCpus: count }
  const view: Pick<View, 'options' | 'cpus' | 'hostFile'> = {
    options: { ...DEFAULT_OPTIONS, ...options },
    cpus: () => cpus,
    hostFile: path => {
      const text = files[path]
      if (text === undefined) throw new Error(`Cannot read ${path}: there is no such file`)
      return text
    },
  }
  return view as View
}
