/** Numbers of the run directory that several processes, or one after the other, have in memory. */

import type { Log } from '../sys/log.ts'
import { mapNumbers } from '../sys/shared-memory.ts'
import type { Settings } from './default-settings.ts'

/**
 * Maps the file `name` of the run directory. Where that fails, which the log says, the numbers are zeros that no other
 * process sees.
 */
export function mapInRunDirectory(
  { runDirectory }: Pick<Settings, 'runDirectory'>,
  name: string,
  count: number,
  log: Log,
): Float64Array {
  try {
    return mapNumbers(`${runDirectory}/${name}`, count)
  } catch (error) {
    log.error(error)
    return new Float64Array(count)
  }
}
