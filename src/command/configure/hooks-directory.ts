/** podman and CRI-O: a file in a hooks.d directory, which both may share. */

import {
  CONFIGS,
  DEFAULT_DIRECTORY,
  type HooksRuntime,
  readHookDirectories,
} from '../hooks/directories.ts'
import { renderHooksDirectoryEntry } from '../hooks/entry.ts'
import type { Plan, Situation } from './plan.ts'

const FILE = '50-procveil.json'

/**
 * Neither needs a restart: podman has no daemon, and CRI-O watches the directories that it reads (cmd/crio/main.go,
 * Hooks.Monitor).
 */
export function planHooksDirectory(
  runtime: HooksRuntime,
  { host, config, setAsDefault }: Situation,
): Plan {
  if (setAsDefault) {
    throw new RangeError(
      `Cannot make procveil ${runtime}'s default: its hook is for all containers as it is; leave --set-as-default out`,
    )
  }
  const { directories, from } = readHookDirectories(host, runtime, config)
  const isDefault = directories.includes(DEFAULT_DIRECTORY)
  const directory =
    directories.findLast(each => host.has(`${each.slice(1)}/${FILE}`)) ??
    (isDefault ? DEFAULT_DIRECTORY : directories.at(-1))
  if (directory === undefined) {
    throw new Error(
      `Cannot configure ${runtime}: hooks_dir in ${from ?? CONFIGS[runtime]} is empty; name ${DEFAULT_DIRECTORY} there`,
    )
  }
  return {
    changes: [{ path: `${directory}/${FILE}`, text: renderHooksDirectoryEntry(), kind: 'own' }],
    notes: isDefault ? [] : [`hooks_dir in ${from} leaves ${DEFAULT_DIRECTORY} out`],
    use: 'every container that is started from now on has the hook',
  }
}
