/** Checks whether a container can be registered: whether there is room in the run directory. */

import type { Host } from '../../host/host.ts'
import { remedyFor } from '../../host/remedy.ts'
import type { Settings } from '../../service/default-settings.ts'
import { errorCode } from '../../sys/error.ts'
import { about, type Finding } from './finding.ts'
import { describePlace, nearestThere, writeInto } from './write.ts'

const { ok, problem } = about('run-directory')

/** What a container accumulates is kept in files of so many bytes. */
const ROOM_BYTES = 128 * 1024

export function checkRunDirectory(
  host: Host,
  { runDirectory }: Pick<Settings, 'runDirectory'>,
): Finding {
  const directory = nearestThere(runDirectory)
  try {
    writeInto(directory, ROOM_BYTES)
    return ok(`${runDirectory} has room for what is known of containers`)
  } catch (error) {
    const remedy = remedyFor(errorCode(error), directory) ?? `see that root can write ${directory}`
    return problem(
      `no container can be registered in ${runDirectory}, and new ones see the host's files: nothing can be written to ${describePlace(host, directory, error)}`,
      `${remedy}; then procveil remount --all`,
    )
  }
}
