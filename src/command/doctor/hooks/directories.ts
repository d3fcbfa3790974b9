/** podman and CRI-O: a file in a directory that they read, oci-hooks(5). */

import type { Host } from '../../../host/host.ts'
import { type HooksRuntime, readHookDirectories } from '../../hooks/directories.ts'
import { namesOf } from '../../hooks/ours.ts'
import { about, type Finding } from '../finding.ts'
import { checkEntry, isOursHere, readJson } from './entry.ts'
import { isInstalled } from './installed.ts'

const { warning } = about('hooks')

export function checkHooksDirectories(host: Host): Finding[] {
  const installed = (['podman', 'crio'] as const).filter(name => isInstalled(host, name))
  return installed.flatMap(runtime => checkRuntime(host, runtime))
}

function checkRuntime(host: Host, runtime: HooksRuntime): Finding[] {
  const { directories } = readHookDirectories(host, runtime)
  const files = new Map<string, string>()
  for (const directory of directories) {
    for (const name of host.list(directory.slice(1))) files.set(name, `${directory}/${name}`)
  }
  const ours = [...files.values()]
    .filter(path => path.endsWith('.json'))
    .map(file => ({ file, entry: readJson(host, file) }))
    .filter(({ entry }) => isOursHere(host, entry?.hook))
  if (ours.length === 0) {
    return [
      warning(
        `${runtime}: containers do not get our hook: it is not in ${directories.join(' or ')}`,
        `procveil configure ${runtime}`,
      ),
    ]
  }
  return ours.map(({ file, entry }) =>
    checkEntry(host, { who: runtime, file, hook: entry?.hook, stages: namesOf(entry?.stages) }),
  )
}
