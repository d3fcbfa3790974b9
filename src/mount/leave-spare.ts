/**
 * Leaves spare mounts in a container and takes them off, as spare.ts plans it. Everything here is to be called inside
 * the container's mount namespace, and goes by descriptors that were opened below its root without symbolic links.
 */

import { fstatSync } from 'node:fs'
import { splitDevice } from '../host/device-number.ts'
import type { Mount } from '../host/mountinfo.ts'
import { makeDirectory, removeDirectory } from '../sys/directory.ts'
import {
  cloneMount,
  fileSystemType,
  findBeneath,
  makePrivate,
  makeSlave,
  moveMount,
  openBeneath,
  TMPFS_MAGIC,
  unmountAt,
} from '../sys/mount.ts'
import { Descriptors } from './descriptors.ts'
import { SPARE_DIRECTORY, type Spare, type SparePlan } from './spare.ts'
import { isShared } from './target.ts'

/** Of the directories that are covered: whoever is not root does not get there, even without the cover. */
const MODE = 0o700

/** Throws when something cannot be mounted; what was mounted until then is taken off again. */
export function leaveSpare(root: number, { dev, nestable }: NonNullable<SparePlan['leave']>): void {
  using opened = new Descriptors()
  const parent = openDev(root, dev, opened)
  // From a shared mount the kernel would repeat ours in every peer of the container's /dev.
  if (isShared(dev)) makeSlave(parent, dev.mountPoint)
  try {
    makeDirectory(parent, SPARE_DIRECTORY, MODE)
    const directory = opened.add(openBeneath(parent, SPARE_DIRECTORY))
    refuseOther(directory, dev, SPARE_DIRECTORY)
    for (const { mount, directory: name } of nestable) {
      const source = opened.add(openBeneath(root, mount.mountPoint))
      refuseOther(source, mount, mount.mountPoint)
      makeDirectory(directory, name, MODE)
      const target = opened.add(openBeneath(directory, name))
      attachClone(source, target, `${SPARE_DIRECTORY}/${name}`, opened)
    }
    attachClone(directory, directory, SPARE_DIRECTORY, opened)
  } catch (error) {
    tryTakeOff(root, dev)
    throw error
  }
}

/**
 * A clone of a shared mount is its peer, and would get what is mounted there later: our files. Until it is private the
 * container can mount nothing through it that it could not mount on `source`, its own mount.
 */
function attachClone(source: number, target: number, name: string, opened: Descriptors): void {
  const clone = opened.add(cloneMount(source, name))
  moveMount(clone, target, name)
  makePrivate(clone, name)
}

/** Leaves nothing: neither mounts nor directories, unless the container has put something into them. */
export function takeOffSpare(root: number, { dev, cover, held }: Spare): void {
  using opened = new Descriptors()
  const parent = openDev(root, dev, opened)
  if (cover !== undefined) unmountAt(parent, SPARE_DIRECTORY)
  const directory = findBeneath(parent, SPARE_DIRECTORY)
  if (directory === undefined) return
  opened.add(directory)
  refuseOther(directory, dev, SPARE_DIRECTORY)
  for (const { mountPoint } of held) unmountAt(directory, mountPoint.split('/').at(-1) ?? '')
  for (const name of NAMES) removeDirectory(directory, name)
  removeDirectory(parent, SPARE_DIRECTORY)
}

const NAMES = ['proc', 'sys']

/** Takes off what `leaveSpare` has made until it failed, or all of it. Ignores failures: the first one is reported. */
export function tryTakeOff(root: number, dev: Mount): void {
  using opened = new Descriptors()
  const attempt = (action: () => void) => {
    try {
      action()
    } catch {}
  }
  attempt(() => {
    const parent = openDev(root, dev, opened)
    attempt(() => unmountAt(parent, SPARE_DIRECTORY))
    const directory = opened.add(openBeneath(parent, SPARE_DIRECTORY))
    for (const name of NAMES) {
      attempt(() => unmountAt(directory, name))
      attempt(() => removeDirectory(directory, name))
    }
    removeDirectory(parent, SPARE_DIRECTORY)
  })
}

function openDev(root: number, dev: Mount, opened: Descriptors): number {
  const fd = opened.add(openBeneath(root, dev.mountPoint))
  refuseOther(fd, dev, dev.mountPoint)
  if (fileSystemType(fd, dev.mountPoint) !== TMPFS_MAGIC) {
    throw new Error(`Cannot use ${dev.mountPoint}: it is no tmpfs any more`)
  }
  return fd
}

/** The container may have mounted something else since its mountinfo was read. */
function refuseOther(fd: number, { major, minor }: Mount, name: string): void {
  const found = splitDevice(fstatSync(fd).dev)
  if (found.major === major && found.minor === minor) return
  throw new Error(
    `Cannot use ${name}: another file system was mounted there meanwhile, ${found.major}:${found.minor} instead of ${major}:${minor}`,
  )
}
