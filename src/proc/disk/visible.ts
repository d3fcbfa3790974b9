/**
 * Which of the host's block devices a container sees, and under which names: those that have a node in its
 * /dev, and the disk that holds its root directory, as `sda`.
 */

import type { DiskIo } from '../../cgroup/io.ts'
import {
  type DeviceNumber,
  type DiskCounters,
  deviceKey,
  ioCounters,
  mapFields,
  NO_COUNTERS,
} from './counters.ts'
import {
  type HostDevice,
  mergeDisks,
  parseDiskstats,
  parsePartitions,
  type Size,
} from './host-disks.ts'
import { type BlockNode, bestNodes, chooseNames } from './names.ts'

export interface VisibleDisk extends DeviceNumber {
  /** The name that the container sees; '' for a device without a node, only under `openEulerEmptyNames`. */
  name: string
  kernelName: string
  /** The disk that this is a partition of; `undefined` for anything else. */
  wholeDisk: DeviceNumber | undefined
  /** `undefined` for a device that the host's /proc/partitions does not list. */
  sizeKib: Size | undefined
  /**
   * The container's counters, never above the host's; `undefined` for a device that the host's /proc/diskstats does not
   * list.
   */
  counters: DiskCounters | undefined
  hostCounters: DiskCounters | undefined
}

/** What a container has in its /dev and below its root directory. */
export interface ContainerDevices {
  nodes: readonly BlockNode[]
  /**
   * The disk that the root directory is on: a whole one, or what is stacked on disks. `undefined` when there is none or
   * it cannot be told.
   */
  rootDisk: DeviceNumber | undefined
}

/**
 * A device without its counters. `countedKey` is the key of the disk that counts for the device, `undefined` where none
 * does.
 */
export interface ListedDisk extends Omit<VisibleDisk, 'counters'> {
  countedKey: string | undefined
}

/** The host's devices at one moment. */
interface HostDisks {
  devices: readonly HostDevice[]
  sizes: ReturnType<typeof parsePartitions>
  /** What containers see of these devices. */
  listed: WeakMap<ContainerDevices, ListedDisk[]>
}

/** `diskstats` and `partitions` are the texts of the host's files, '' where it has none. */
export function parseHostDisks(diskstats: string, partitions: string): HostDisks {
  const sizes = parsePartitions(partitions)
  const devices = mergeDisks(parseDiskstats(diskstats), sizes)
  return { devices, sizes, listed: new WeakMap() }
}

/**
 * The container's devices in the host's order, and those of `nameless` without a name where they have none. Without
 * `nameless`, the same array is returned for the same `own`, which is not kept.
 */
export function listDisks(
  host: HostDisks,
  own: ContainerDevices,
  nameless: ReadonlyMap<string, unknown> | undefined,
): ListedDisk[] {
  if (nameless !== undefined) return list(host, own, nameless)
  const known = host.listed.get(own)
  if (known !== undefined) return known
  const listed = list(host, own, nameless)
  host.listed.set(own, listed)
  return listed
}

function list(
  { devices, sizes }: HostDisks,
  { nodes: ownNodes, rootDisk }: ContainerDevices,
  nameless: ReadonlyMap<string, unknown> | undefined,
): ListedDisk[] {
  const nodes = bestNodes(ownNodes)
  const names = chooseNames(devices, nodes, rootDisk)
  for (const key of nameless?.keys() ?? []) {
    if (!nodes.has(key) && !names.has(key)) names.set(key, '')
  }

  const disks: ListedDisk[] = []
  const rowsOfDisk = new Map<string, number>()
  for (const { major, minor, name: kernelName, counters: hostCounters } of devices) {
    const key = deviceKey({ major, minor })
    const name = names.get(key)
    if (name === undefined) continue
    const wholeDisk = nodes.get(key)?.wholeDisk
    const sizeKib = sizes.get(key)?.sizeKib
    const countedKey = deviceKey(wholeDisk ?? { major, minor })
    rowsOfDisk.set(countedKey, (rowsOfDisk.get(countedKey) ?? 0) + 1)
    disks.push({
      major,
      minor,
      name,
      kernelName: copyOf(kernelName),
      wholeDisk,
      sizeKib,
      hostCounters,
      countedKey,
    })
  }
  for (const disk of disks) {
    // The kernel does not tell partitions apart: a partition has its disk's numbers only where it is the only row of
    // that disk.
    if (disk.wholeDisk === undefined || disk.countedKey === undefined) continue
    if (rowsOfDisk.get(disk.countedKey) !== 1) disk.countedKey = undefined
  }
  return disks
}

/**
 * The devices with what the container has done on them. `io` is what its cgroup counts by `major:minor`; without it all
 * counters are 0, not the host's.
 */
export function countDisks(
  disks: readonly ListedDisk[],
  io: ReadonlyMap<string, DiskIo> | undefined,
): VisibleDisk[] {
  return disks.map(({ countedKey, ...disk }) => {
    const { hostCounters } = disk
    if (hostCounters === undefined) return { ...disk, counters: undefined }
    const own = countedKey === undefined ? undefined : io?.get(countedKey)
    return { ...disk, counters: limitCounters(own, hostCounters) }
  })
}

/**
 * A container cannot have done more than all of the host, though it may seem so: the two files are read one after the
 * other.
 */
function limitCounters(io: DiskIo | undefined, host: DiskCounters): DiskCounters {
  if (io === undefined) return NO_COUNTERS
  const own = ioCounters(io)
  return mapFields(field => Math.min(own[field], host[field]))
}

/** A part of a string keeps the whole string in memory, and what a view holds must not hold a text of the host. */
const copyOf = (part: string) => Buffer.from(part).toString()
