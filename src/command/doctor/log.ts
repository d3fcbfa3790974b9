/** Checks whether messages are kept: whether the log can be written. */

import { dirname } from 'node:path'
import type { Host } from '../../host/host.ts'
import { remedyFor } from '../../host/remedy.ts'
import type { Settings } from '../../service/default-settings.ts'
import { errorCode } from '../../sys/error.ts'
import { HOOK_LOG } from '../hooks/entry.ts'
import { about, type Finding } from './finding.ts'
import { describePlace, nearestThere, openToAppend, writeInto } from './write.ts'

const { ok, problem } = about('log')

/** A message is as long at most. */
const ROOM_BYTES = 8192

/** Says of the log that was given, or of that of the hooks. */
export function checkLog(host: Host, { log = HOOK_LOG }: Pick<Settings, 'log'>): Finding {
  const place = nearestThere(log)
  try {
    if (place === log) checkFile(log)
    else writeInto(place, ROOM_BYTES)
    return ok(`${log} can be written`)
  } catch (error) {
    const remedy = remedyFor(errorCode(error), place) ?? `see that root can write ${place}`
    return problem(
      `the log ${log} cannot be written, so that a hook's messages are lost where its runtime drops them: ${describePlace(host, place, error)}`,
      remedy,
    )
  }
}

/** A file can be opened where its file system is full, or takes no other file. */
function checkFile(log: string): void {
  openToAppend(log)
  try {
    writeInto(dirname(log), ROOM_BYTES)
  } catch (error) {
    if (FULL.has(errorCode(error) ?? '')) throw error
  }
}

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])
