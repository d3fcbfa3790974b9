/**
 * What a container calls its block devices. It has chosen the names itself, and none of them may be mistaken for
 * another device or for something else in a row.
 */

import { type DeviceNumber, deviceKey } from './counters.ts'

/** A block device's node in the container's /dev. */
export interface BlockNode extends DeviceNumber {
  /** Path below /dev, such as `mapper/data`. */
  name: string
  /** The disk that this is a partition of; `undefined` for anything else. */
  wholeDisk: DeviceNumber | undefined
}

/** A device by its kernel name. */
interface NamedDisk extends DeviceNumber {
  name: string
}

/** The name of the disk that holds the root directory, whatever the kernel calls it. */
const ROOT_NAME = 'sda'

/** For each device the node with the shortest name; among names of one length, the first by the alphabet. */
export function bestNodes(nodes: readonly BlockNode[]): Map<string, BlockNode> {
  const best = new Map<string, BlockNode>()
  for (const node of nodes) {
    const key = deviceKey(node)
    const known = best.get(key)
    if (known === undefined || isBetter(node.name, known.name)) best.set(key, node)
  }
  return best
}

function isBetter(name: string, than: string): boolean {
  if (isUsable(name) !== isUsable(than)) return isUsable(name)
  return name.length < than.length || (name.length === than.length && name < than)
}

/**
 * The container chooses the names of its nodes. A name that readers would take for another column or row gives way to
 * the kernel's.
 */
const isUsable = (name: string) => /^[^\p{C}\p{Z}]+$/u.test(name) && !/^\d+$/.test(name)

/** Names by device. A device has none when the name of its node is taken, and its kernel name too. */
export function chooseNames(
  hostDisks: readonly NamedDisk[],
  nodes: ReadonlyMap<string, BlockNode>,
  rootDisk: DeviceNumber | undefined,
): Map<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  const renamed: NamedDisk[] = []
  const give = (key: string, name: string) => {
    names.set(key, name)
    taken.add(name)
  }
  const rootKey = rootDisk && deviceKey(rootDisk)
  if (rootKey !== undefined && hostDisks.some(disk => deviceKey(disk) === rootKey)) {
    give(rootKey, ROOT_NAME)
  }
  for (const disk of hostDisks) {
    const key = deviceKey(disk)
    const node = nodes.get(key)
    if (node === undefined || names.has(key)) continue
    if (isUsable(node.name) && !taken.has(node.name)) give(key, node.name)
    else renamed.push(disk)
  }
  for (const disk of renamed) {
    if (!taken.has(disk.name)) give(deviceKey(disk), disk.name)
  }
  return names
}
