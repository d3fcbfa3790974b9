/** iSulad: the file of hooks that its daemon.json names. */

import type { Host } from '../../../host/host.ts'
import { textOf } from '../../../host/json.ts'
import { ISULAD_CONFIG } from '../../hooks/isulad.ts'
import { about, type Finding } from '../finding.ts'
import { checkEntry, findInStages, readJson } from './entry.ts'
import { isInstalled } from './installed.ts'

const { warning, problem } = about('hooks')

const ADVICE = 'procveil configure isulad'

export function checkIsulad(host: Host): Finding[] {
  const config = readJson(host, ISULAD_CONFIG)
  if (config === undefined && !isInstalled(host, 'isulad')) return []
  const file = textOf(config?.['hook-spec'])
  if (file === undefined) {
    return [
      warning(
        `isulad: containers do not get our hook: ${ISULAD_CONFIG} names no hook-spec`,
        ADVICE,
      ),
    ]
  }
  const spec = readJson(host, file)
  if (spec === undefined) return [problem(`isulad: ${file} cannot be read`, ADVICE)]
  const found = findInStages(host, spec)
  if (found === undefined) return [warning(`isulad: ${file} does not name our hook`, ADVICE)]
  return [checkEntry(host, { who: 'isulad', file, ...found })]
}
