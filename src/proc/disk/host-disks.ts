/** The host's block devices, as /proc/diskstats and /proc/partitions list them. */

import { type DeviceNumber, type DiskCounters, deviceKey, mapFields, words } from './counters.ts'

interface HostDisk extends DeviceNumber {
  /** The kernel's own name of the device. */
  name: string
  counters: DiskCounters
}

/** Rows in the text's order; numbers that a kernel does not have, or damaged ones, are 0. */
export function parseDiskstats(text: string): HostDisk[] {
  const disks: HostDisk[] = []
  for (const line of text.split('\n')) {
    const [major, minor, name, ...numbers] = words(line)
    if (major === undefined || minor === undefined || name === undefined) continue
    const device = { major: Number(major), minor: Number(minor) }
    if (!Number.isInteger(device.major) || !Number.isInteger(device.minor)) continue
    disks.push({ ...device, name, counters: mapFields((_, i) => parseCounter(numbers[i])) })
  }
  return disks
}

function parseCounter(text: string | undefined): number {
  const value = Number(text ?? 0)
  return isNatural(value) ? value : 0
}

interface Partition extends DeviceNumber {
  /** The kernel's own name of the device. */
  name: string
  sizeKib: number
}

/** Rows by `major:minor`, in the text's order. */
export function parsePartitions(text: string): Map<string, Partition> {
  const partitions = new Map<string, Partition>()
  for (const line of text.split('\n')) {
    const [major, minor, size, name] = words(line)
    if (name === undefined) continue
    const partition = { major: Number(major), minor: Number(minor), sizeKib: Number(size), name }
    if (![partition.major, partition.minor, partition.sizeKib].every(isNatural)) continue
    partitions.set(deviceKey(partition), partition)
  }
  return partitions
}

const isNatural = (value: number) => Number.isSafeInteger(value) && value >= 0

export type HostDevice = Omit<HostDisk, 'counters'> & { counters: DiskCounters | undefined }

/** Devices of diskstats, then those that only partitions lists. */
export function mergeDisks(
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
