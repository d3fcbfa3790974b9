/**
 * Spare mounts of a container's own /proc and /sys, by which containers in it can mount theirs: see nestable.ts. They
 * lie below a directory of its /dev, and a mount of that directory on itself covers them, so that no path leads there:
 *
 *     /dev/.procveil         the cover, which shows two empty directories
 *     /dev/.procveil/proc    the container's proc once more, without the mounts that lie on it
 *     /dev/.procveil/sys     the same of sysfs
 *
 * What is where is known by mountinfo, of which this file makes a plan; leave-spare.ts carries it out.
 */

import type { Mount, MountTree } from '../host/mountinfo.ts'
import { findNestable, type Nestable } from './nestable.ts'

export const SPARE_DIRECTORY = '.procveil'

/**
 * Whether spare mounts are wanted. A runtime masks paths after its hooks, so until it has done so mountinfo does not
 * tell whether a /proc will be fully visible. `unless-early` is for callers who know no more than mountinfo: before
 * pivot_root(2) they leave everything as it is. `always` is for those who know that no path will be masked.
 */
export type SpareChoice = 'never' | 'unless-early' | 'always'

/** Spare mounts that are there. */
export interface Spare {
  /** The mount of the container's /dev. */
  dev: Mount
  cover: Mount | undefined
  held: Mount[]
}

/** What is to be done: first `takeOff`, then `leave`. */
export interface SparePlan {
  takeOff: Spare | undefined
  leave: { dev: Mount; nestable: Nestable[] } | undefined
  /** What is to be told afterwards. */
  outcome: 'none' | 'left' | 'there already' | 'no place'
}

export function findSpare(mounts: MountTree, base: string): Spare | undefined {
  const dev = mounts.find(`${base}/dev`)
  if (dev === undefined) return undefined
  const top = `${dev.mountPoint}/${SPARE_DIRECTORY}`
  const lying = mounts.liesOn(dev)
  const isHeld = ({ fsType, mountPoint }: Mount) =>
    (fsType === 'proc' && mountPoint === `${top}/proc`) ||
    (fsType === 'sysfs' && mountPoint === `${top}/sys`)
  const isCover = ({ root, mountPoint, ...mount }: Mount) =>
    mountPoint === top && root === `/${SPARE_DIRECTORY}` && isSameDevice(mount, dev)
  const held = lying.filter(isHeld)
  const cover = lying.find(isCover)
  return held.length === 0 && cover === undefined ? undefined : { dev, cover, held }
}

/**
 * `hostMounts` are those of the host: a file system that is mounted there is not the container's own. They are read only
 * where spare mounts are to be left.
 */
export function planSpare(
  mounts: MountTree,
  base: string,
  choice: SpareChoice,
  hostMounts: () => readonly Mount[],
): SparePlan {
  if (choice === 'unless-early' && base !== '') {
    return { takeOff: undefined, leave: undefined, outcome: 'none' }
  }
  const there = findSpare(mounts, base)
  const held = there?.held ?? []
  const found = choice === 'never' ? [] : findNestable(mounts, base)
  // Where the runtime has masked /proc, nobody expects containers inside, and /sys alone is of no use.
  const nestable = found.some(({ directory }) => directory === 'proc')
    ? found.filter(({ others }) => others.every(each => held.includes(each)))
    : []
  if (nestable.length === 0) return { takeOff: there, leave: undefined, outcome: 'none' }
  if (there?.cover !== undefined && isComplete(there, nestable)) {
    return { takeOff: undefined, leave: undefined, outcome: 'there already' }
  }
  const dev = mounts.find(`${base}/dev`)
  if (dev === undefined || !isOwnTmpfs(dev, hostMounts)) {
    return { takeOff: there, leave: undefined, outcome: 'no place' }
  }
  return { takeOff: there, leave: { dev, nestable }, outcome: 'left' }
}

const isComplete = ({ held }: Spare, nestable: readonly Nestable[]) =>
  held.length === nestable.length &&
  nestable.every(({ mount }) => held.some(each => isSameDevice(each, mount)))

/** A container may have the host's /dev, a devtmpfs, or any other directory of the host there. */
const isOwnTmpfs = (dev: Mount, hostMounts: () => readonly Mount[]) =>
  dev.fsType === 'tmpfs' &&
  dev.root === '/' &&
  !hostMounts().some(mount => isSameDevice(mount, dev))

type Device = Pick<Mount, 'major' | 'minor'>

const isSameDevice = (one: Device, other: Device) =>
  one.major === other.major && one.minor === other.minor
