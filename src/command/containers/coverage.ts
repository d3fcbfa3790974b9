/** Finds out whose files a container sees, by its mountinfo alone: no file is touched. */

import { type Mount, MountTree, parseMounts } from '../../host/mountinfo.ts'
import { isNestingBarred } from '../../mount/nestable.ts'
import { findBase, findTarget, isFileOf, pathOf } from '../../mount/target.ts'

/**
 * The state is `ok` when all files are ours, `partial` when only some are, and `host` when none is. It is `stale` when
 * some are of a service that is gone, or of another service, and `unknown` when the container has too many mounts.
 */
export type CoverageState = 'ok' | 'partial' | 'host' | 'stale' | 'unknown'

export interface Coverage {
  /** Files of the service that runs now. */
  bound: number
  /** Files that can be bound: they are chosen for this container, and it has a place for them. */
  files: number
  state: CoverageState
  /** Device numbers, as `major:minor`, of the mounts that are not of that service. */
  otherDevices: readonly string[]
  /** Whether containers in it cannot mount a proc, and could without the files. */
  barsNesting: boolean
}

export const UNKNOWN: Coverage = {
  bound: 0,
  files: 0,
  state: 'unknown',
  otherDevices: [],
  barsNesting: false,
}

/**
 * `served` is the mount that answers now, and `undefined` when none does. `files` are those that are to be bound and
 * that the host has.
 */
export function parseCoverage(
  mountinfo: string,
  container: { id: string; rootfs: string },
  files: readonly string[],
  served: Pick<Mount, 'major' | 'minor'> | undefined,
): Coverage {
  const mounts = new MountTree(parseMounts(mountinfo))
  const base = findBase(mounts, container.rootfs)
  const others = new Set<string>()
  const found = { bound: 0, files: 0 }
  for (const file of files) {
    const target = findTarget(mounts, base, file)
    if (target === undefined) continue
    found.files++
    const { bound } = target
    if (bound === undefined) continue
    // The file may be the container's own, or the one at the top of the mount, which shows every caller its own view.
    const paths = [pathOf(container.id, file), `/${file}`]
    if (paths.some(path => isFileOf(bound, served, path))) found.bound++
    else others.add(`${bound.major}:${bound.minor}`)
  }
  const state = others.size > 0 ? 'stale' : stateOf(found)
  const barsNesting = isNestingBarred(mounts, base)
  return { ...found, state, otherDevices: [...others].sort(), barsNesting }
}

function stateOf({ bound, files }: { bound: number; files: number }): CoverageState {
  if (bound === 0) return 'host'
  return bound === files ? 'ok' : 'partial'
}
