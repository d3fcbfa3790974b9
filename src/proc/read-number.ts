/** A file of the host that holds one number. */

import { parseCount } from '../cgroup/numbers.ts'
import type { View } from './view.ts'

/** Reads as `View.hostFile` does; `undefined` where the kernel has no such file, or no number in it. */
export function readNumber(
  view: Pick<View, 'hostFile'>,
  path: string,
  witness: string | number | undefined,
): number | undefined {
  try {
    return parseCount(view.hostFile(path, witness))
  } catch {
    return undefined
  }
}
