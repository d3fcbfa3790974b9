/**
 * Which of the host's block devices a container sees, and under which names: those that have a node in its
 * /dev, and the disk that holds its root directory, as `sda`.
 */

import type { DiskIo } from '../cgroup/io.ts'
import {
  type DeviceNumber,
  type DiskCounters,
  deviceKey,
  type HostDisk,
  ioCounters,
  mapFields,
  NO_COUNTERS,
  parseDiskstats,
} from './disk-counters.ts'
import { type BlockNode, bestNodes, chooseNames } from './disk-names.ts'
import type { Options } from './options.ts'
import { parsePartitions } from './partitions.ts'

export interface VisibleDisk extends DeviceNumber {
  /** As the container sees it; '' for a device without a node, only under `openEulerEmptyNames`. */
  name: string
  kernelName: string
  /** The disk that this is a partition of; `undefined` for anything else. */
  wholeDisk: DeviceNumber | undefined
  /** `undefined` for what the host's /proc/partitions does not list. */
  sizeKib: number | undefined
  /** The container's, never above the host's; `undefined` for what the host's /proc/diskstats does not list. */
  counters: DiskCounters | undefined
  hostCounters: DiskCounters | undefined
}

/** What tells which devices there are: all that does not change with each request. */
export interface DeviceSources {
  /** Texts of the host's files, '' where it has none. */
  hostDiskstats: string
  hostPartitions: string
  nodes: readonly BlockNode[]
  /** The whole disk below the container's root directory; `undefined` when there is none to tell. */
  rootDisk: DeviceNumber | undefined
}

export interface DiskSources extends DeviceSources {
  /** What the container's cgroup counts by `major:minor`. Without it all counters are 0, not the host's. */
  io: ReadonlyMap<string, DiskIo> | undefined
  options: Pick<Options, 'openEulerEmptyNames'>
}

/** In the host's order. */
export function visibleDisks(sources: DiskSources): VisibleDisk[] {
  const { io, options } = sources
  const counted = options.openEulerEmptyNames === 'on' ? (io?.keys() ?? []) : []
  return countDisks(listDisks(sources, counted), io)
}

/** A device without its counters: its key and the disk's that counts for it, `undefined` where none does. */
export interface ListedDisk extends Omit<VisibleDisk, 'counters'> {
  key: string
  countedKey: string | undefined
}

/** `nameless` devices are listed without a name where they have none. */
export function listDisks(sources: DeviceSources, nameless: Iterable<string> = []): ListedDisk[] {
  const sizes = parsePartitions(sources.hostPartitions)
  const hostDisks = mergeDisks(parseDiskstats(sources.hostDiskstats), sizes)
  const nodes = bestNodes(sources.nodes)
  const names = chooseNames(hostDisks, nodes, sources.rootDisk)
  for (const key of nameless) if (!nodes.has(key) && !names.has(key)) names.set(key, '')

  const disks: ListedDisk[] = []
  const rowsOfDisk = new Map<string, number>()
  for (const { major, minor, name: kernelName, counters: hostCounters } of hostDisks) {
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
      kernelName,
      wholeDisk,
      sizeKib,
      hostCounters,
      key,
      countedKey,
    })
  }
  for (const disk of disks) {
    // The kernel does not tell partitions apart: only one that stands for its disk has the disk's numbers.
    if (disk.wholeDisk === undefined || disk.countedKey === undefined) continue
    if (rowsOfDisk.get(disk.countedKey) !== 1) disk.countedKey = undefined
  }
  return disks
}

/** The devices with what the container has done on them. */
export function countDisks(
  disks: readonly ListedDisk[],
  io: ReadonlyMap<string, DiskIo> | undefined,
): VisibleDisk[] {
  return disks.map(({ key: _, countedKey, ...disk }) => {
    const { hostCounters } = disk
    if (hostCounters === undefined) return { ...disk, counters: undefined }
    const own = countedKey === undefined ? undefined : io?.get(countedKey)
    return { ...disk, counters: limitCounters(own, hostCounters) }
  })
}

/** A container cannot have done more than all of the host: the two files are read one after the other. */
function limitCounters(io: DiskIo | undefined, host: DiskCounters): DiskCounters {
  if (io === undefined) return NO_COUNTERS
  const own = ioCounters(io)
  return mapFields(field => Math.min(own[field], host[field]))
}

type HostDevice = Omit<HostDisk, 'counters'> & { counters: DiskCounters | undefined }

/** Devices of diskstats, then those that only partitions lists. */
function mergeDisks(
  disks: readonly HostDisk[],
  sizes: ReturnType<typeof parsePartitions>,
): HostDevice[] {
  const known = new Set(disks.map(deviceKey))
  const merged: HostDevice[] = [...disks]
  for (const [key, { major, minor, name }] of sizes) {
    if (!known.has(key)) merged.push({ major, minor, name, counters: undefined })
  }
  return merged
}
