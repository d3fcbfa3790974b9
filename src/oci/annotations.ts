/**
 * Options that a container's annotations set: `io.procveil.cpuQuota=off` and so on. `io.procveil.enabled` is no option: it
 * says whether the container gets our files at all.
 */

import { type Options, parseOptions } from '../proc/options.ts'

const PREFIX = 'io.procveil.'
export const ENABLED = `${PREFIX}enabled`

const SWITCH: Readonly<Record<string, boolean>> = { on: true, true: true, off: false, false: false }

/** Whether an annotation is about us. */
export const isOption = (annotation: string) => annotation.startsWith(PREFIX)

/** Whether it sets an option, and does not say whether there are files at all. */
export const setsOption = (annotation: string) => isOption(annotation) && annotation !== ENABLED

/** Whether annotations want our files; `undefined` where they do not say, or say neither `on` nor `off`. */
export function wantsFiles(find: (annotation: string) => string | undefined): boolean | undefined {
  const value = find(ENABLED)
  return value !== undefined && Object.hasOwn(SWITCH, value) ? SWITCH[value] : undefined
}

/** Leaves out an option that cannot be used, and calls `refused` with a RangeError for it. */
export function readOptions(
  annotations: Readonly<Record<string, string>>,
  refused: (error: unknown) => void,
): Partial<Options> {
  const options: Partial<Options> = {}
  for (const [annotation, value] of Object.entries(annotations)) {
    if (!setsOption(annotation)) continue
    const name = annotation.slice(PREFIX.length)
    try {
      Object.assign(options, parseOptions({ [name]: value }, `annotation ${annotation}`))
    } catch (error) {
      refused(error)
    }
  }
  return options
}
