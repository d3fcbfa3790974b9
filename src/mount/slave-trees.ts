/**
 * Detached mounts of a container's files that are slaves of the shared mount: while one is its peer, what the container
 * mounts on it appears on the host.
 */

import { fstatSync } from 'node:fs'
import { splitDevice } from '../host/device-number.ts'
import { makeDetachedSlave, makeSlave, openTree } from '../sys/mount.ts'
import { inOwnMountNamespace } from '../sys/namespace.ts'
import type { Descriptors } from './descriptors.ts'
import { openServed } from './served.ts'
import { pathOf } from './target.ts'

/** Where a container's files come from. */
export interface Served {
  /** Where our file system is mounted. */
  mountPoint: string
  /** An O_PATH descriptor of the container's directory in our file system. */
  directory: number
  /** The device number of our file system, as mountinfo has it. */
  device: { major: number; minor: number }
}

/** By the name of the file. The host may not have a file, and then we do not offer it. */
type Trees = ReadonlyMap<string, number>

export function openSlaveTrees(
  served: Served,
  id: string,
  files: readonly string[],
  opened: Descriptors,
): Trees {
  const trees = openTrees(served.directory, '', files, opened)
  const areSlaves = [...trees].every(([file, tree]) => makeDetachedSlave(tree, file))
  return areSlaves ? trees : openFromSlave(served, id, [...trees.keys()], opened)
}

/**
 * Before Linux 5.12, where only an attached mount can be made a slave for sure. The clone of a slave mount is one from
 * the start. The shared mount stays as it is: the one that is made a slave is its copy in a namespace of our own.
 */
function openFromSlave(
  { mountPoint, device }: Served,
  id: string,
  files: readonly string[],
  opened: Descriptors,
): Trees {
  return inOwnMountNamespace(() => {
    const root = openServed(mountPoint)
    if (root === undefined) throw new Error(`Cannot bind into ${id}: nobody serves ${mountPoint}`)
    opened.add(root)
    const { major, minor } = splitDevice(fstatSync(root).dev)
    if (major !== device.major || minor !== device.minor) {
      throw new Error(`Cannot bind into ${id}: another file system is at ${mountPoint} by now`)
    }
    makeSlave(root, mountPoint)
    return openTrees(root, pathOf(id, '').slice(1), files, opened)
  })
}

function openTrees(
  directory: number,
  prefix: string,
  files: readonly string[],
  opened: Descriptors,
): Trees {
  const trees = new Map<string, number>()
  for (const file of files) {
    const tree = openTree(directory, `${prefix}${file}`)
    if (tree !== undefined) trees.set(file, opened.add(tree))
  }
  return trees
}
