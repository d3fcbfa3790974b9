/** Options that a container's annotations set: `io.procveil.cpuQuota=off` and so on. */

import { type Options, parseOptions } from '../proc/options.ts'

const PREFIX = 'io.procveil.'

/** What cannot be used is told to `refused`, one RangeError each, and left out. */
export function readOptions(
  annotations: Readonly<Record<string, string>>,
  refused: (error: unknown) => void,
): Partial<Options> {
  const options: Partial<Options> = {}
  for (const [annotation, value] of Object.entries(annotations)) {
    if (!annotation.startsWith(PREFIX)) continue
    const name = annotation.slice(PREFIX.length)
    try {
      Object.assign(options, parseOptions({ [name]: value }, `annotation ${annotation}`))
    } catch (error) {
      refused(error)
    }
  }
  return options
}
