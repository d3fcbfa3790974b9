/** Options that a container's annotations set: `io.procveil.cpuQuota=off` and so on. */

import { type Options, parseOptions } from '../proc/options.ts'

const PREFIX = 'io.procveil.'

/** Whether an annotation is about us. */
export const isOption = (annotation: string) => annotation.startsWith(PREFIX)

/** Leaves out an option that cannot be used, and calls `refused` with a RangeError for it. */
export function readOptions(
  annotations: Readonly<Record<string, string>>,
  refused: (error: unknown) => void,
): Partial<Options> {
  const options: Partial<Options> = {}
  for (const [annotation, value] of Object.entries(annotations)) {
    if (!isOption(annotation)) continue
    const name = annotation.slice(PREFIX.length)
    try {
      Object.assign(options, parseOptions({ [name]: value }, `annotation ${annotation}`))
    } catch (error) {
      refused(error)
    }
  }
  return options
}
