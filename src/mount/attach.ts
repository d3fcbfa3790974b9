/**
 * Puts our files over a container's, inside its mount namespace. Nothing else of the host becomes visible there,
 * and nothing mounted there becomes visible on the host.
 *
 * The container may change its mounts at any moment. So paths are resolved once, without symbolic links, and
 * mounts go onto the descriptor that was checked.
 */

import { openSync } from 'node:fs'
import type { Container } from '../container/container.ts'
import type { Host } from '../host/host.ts'
import { type MountTree, parseMounts } from '../host/mountinfo.ts'
import { O_PATH } from '../host/open-path.ts'
import {
  fileSystemType,
  findBeneath,
  makeSlave,
  moveMount,
  openBeneath,
  PROC_SUPER_MAGIC,
  SYSFS_MAGIC,
} from '../sys/mount.ts'
import { inMountNamespace } from '../sys/namespace.ts'
import { hasEnded } from '../sys/process.ts'
import { Descriptors } from './descriptors.ts'
import { type Entry, openEntry, unbind } from './entry.ts'
import { leaveSpare, takeOffSpare, tryTakeOff } from './leave-spare.ts'
import { mask, unmask } from './masks.ts'
import { openSlaveTrees, type Served } from './slave-trees.ts'
import { planSpare, type SpareChoice, type SparePlan } from './spare.ts'
import { FS_TYPE, findTarget, isFileOf, isShared, pathOf, type Target } from './target.ts'

export interface Bound {
  bound: string[]
  /** Files that an earlier hook has bound already. */
  present: string[]
  /** Files that the container or the host does not have. */
  absent: string[]
  /** What became of the spare mounts. */
  spare: SparePlan['outcome'] | 'failed'
}

export interface SpareWish {
  choice: SpareChoice
  /** Gets the error when the spare mounts cannot be left. What it throws undoes everything. */
  refuse: (error: unknown) => void
}

export interface Wish extends SpareWish {
  /** What the runtime masks after its hooks, without a leading slash: see masks.ts. */
  masks?: readonly string[]
}

interface Place extends Target {
  file: string
  /** A detached mount of our file. */
  tree: number
}

/**
 * Binds `files` over the container's own. A directory comes after the files that it holds: it lies over them. Throws when
 * a file cannot be bound; the files that were bound until then are taken out again.
 */
export function attach(
  host: Host,
  container: Container,
  files: readonly string[],
  served: Served,
  wish: Wish,
): Bound {
  using opened = new Descriptors()
  const entry = openEntry(host, container, opened, 'bind into')
  const hostMounts = () => parseMounts(host.read('proc/self/mountinfo'))
  const plan = planSpare(entry.mounts, entry.base, wish.choice, hostMounts)
  const result: Bound = {
    bound: [],
    present: [],
    absent: [],
    spare: plan.outcome,
  }
  const targets = new Map<string, Target>()
  for (const file of files) {
    const target = findTarget(entry.mounts, entry.base, file)
    if (target === undefined) {
      result.absent.push(file)
    } else if (
      target.bound !== undefined &&
      isFileOf(target.bound, served.device, pathOf(container.id, file))
    ) {
      result.present.push(file)
    } else {
      targets.set(file, target)
    }
  }
  const covers = new Set([...targets.values()].flatMap(target => target.covers))
  for (const file of result.present.filter(each => covers.has(`${entry.base}/${each}`))) {
    // What is bound anew lies below it.
    const target = findTarget(entry.mounts, entry.base, file)
    if (target !== undefined) targets.set(file, target)
    result.present.splice(result.present.indexOf(file), 1)
  }
  const trees = openSlaveTrees(served, container.id, [...targets.keys()], opened)
  const places: Place[] = []
  for (const [file, target] of targets) {
    const tree = trees.get(file)
    if (tree === undefined) result.absent.push(file)
    else places.push({ ...target, file, tree })
  }
  if (places.length === 0 && result.present.length === 0 && files.length > 0) {
    throw new Error(
      `Cannot bind into ${container.id}: it has no proc file system at ${entry.base}/proc, or another file lies on each of ours`,
    )
  }
  const isSpareRight = plan.takeOff === undefined && plan.leave === undefined
  if (places.length === 0 && isSpareRight) return result
  // Undoing takes a descriptor, too, where none may be left.
  const forUndoing = opened.add(openSync('/', O_PATH))
  inMountNamespace(entry.namespace, () => {
    const done: Place[] = []
    const masked: string[] = []
    try {
      if (!isSpareRight && !changeSpare(entry.root, container.id, plan, wish)) {
        result.spare = 'failed'
      }
      for (const path of covers) unbind(entry.root, { path, layers: layersAt(entry.mounts, path) })
      for (const place of places) {
        masked.push(...maskBelow(entry, place, wish, opened))
        if (bind(entry.root, place, opened)) done.push(place)
        else result.absent.push(place.file)
      }
      result.bound.push(...done.map(place => place.file))
      if (hasEnded(entry.process)) throw new Error(`Cannot bind into ${container.id}: it ended`)
    } catch (error) {
      opened.close(forUndoing)
      for (const place of done.reverse()) undo(entry.root, place)
      unmask(entry.root, masked)
      if (plan.leave !== undefined) tryTakeOff(entry.root, plan.leave.dev)
      throw error
    }
  })
  return result
}

/** How many mounts of ours lie one on top of the other. */
const layersAt = (mounts: MountTree, path: string): number =>
  mounts.lookUp(path).filter(mount => mount.mountPoint === path && mount.fsType === FS_TYPE).length

/** Returns false when that failed, and `refuse` has been told. */
function changeSpare(
  root: number,
  id: string,
  { takeOff, leave }: SparePlan,
  { refuse }: SpareWish,
): boolean {
  try {
    if (takeOff !== undefined) takeOffSpare(root, takeOff)
    if (leave !== undefined) leaveSpare(root, leave)
    return true
  } catch (cause) {
    const what = leave === undefined ? 'take the spare mounts out of' : 'leave spare mounts in'
    refuse(
      new Error(`Cannot ${what} ${id}, with which containers in it mount proc and sysfs`, {
        cause,
      }),
    )
    return false
  }
}

/** Returns the paths of the masks. Where they cannot be put there, `refuse` is told. */
function maskBelow(
  { root, base }: Pick<Entry, 'root' | 'base'>,
  place: Place,
  { masks = [], refuse }: Wish,
  opened: Descriptors,
): string[] {
  const paths = masks.filter(path => path.startsWith(`${place.file}/`))
  if (paths.length === 0) return []
  slaveParent(root, place, opened)
  try {
    return mask(
      root,
      paths.map(path => `${base}/${path}`),
      opened,
    )
  } catch (cause) {
    refuse(new Error(`Cannot mask below ${place.path} what the runtime is to mask`, { cause }))
    return []
  }
}

/** Returns false when the container has no such file: a kernel without swap has no /proc/swaps. */
function bind(root: number, place: Place, opened: Descriptors): boolean {
  const { path, bound, file, tree } = place
  slaveParent(root, place, opened)
  // A directory that lay over another place is off already: taking nothing off is no failure.
  if (bound !== undefined) unbind(root, place)
  const target = findBeneath(root, path)
  if (target === undefined) return false
  opened.add(target)
  const type = fileSystemType(target, path)
  if (type !== PROC_SUPER_MAGIC && type !== SYSFS_MAGIC) {
    throw new Error(
      `Cannot bind over ${path}: it lies on a file system of type 0x${type.toString(16)}`,
    )
  }
  moveMount(tree, target, file)
  return true
}

/** From a shared mount the kernel would repeat ours in every peer of the container's /proc, the host's included. */
function slaveParent(root: number, { parent }: Target, opened: Descriptors): void {
  if (!isShared(parent)) return
  makeSlave(opened.add(openBeneath(root, parent.mountPoint)), parent.mountPoint)
}

/** Ignores failures: the first one is reported, and what cannot be taken out here ends with the namespace. */
function undo(root: number, place: Place): void {
  try {
    unbind(root, { path: place.path, layers: 1 })
  } catch {}
}
