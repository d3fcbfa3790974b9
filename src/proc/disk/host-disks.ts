/** The host's block devices, as /proc/diskstats and /proc/partitions list them. */

import { isU64 } from '../lines.ts'
import { type DeviceNumber, type DiskCounters, deviceKey, mapFields, words } from './counters.ts'

interface HostDisk extends DeviceNumber {
  /** The kernel's own name of the device. */
  name: string
  counters: DiskCounters
}

/**
 * Rows in the text's order; numbers that a kernel does not have, or damaged ones, are 0. Those beyond the exact ones only
 * bound what a container has done, so the largest exact one serves for them.
 */
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
  if (isNatural(value)) return value
  return isLargeNumber(text) ? Number.MAX_SAFE_INTEGER : 0
}

/** Whether the text is a whole number beyond the exact ones. */
const isLargeNumber = (text: string | undefined): text is string =>
  text !== undefined && /^\d+$/.test(text) && isU64(text) && !Number.isSafeInteger(Number(text))

interface Partition extends DeviceNumber {
  /** The kernel's own name of the device. */
  name: string
  sizeKib: Size
}

/** A number of kibibytes, which is a bigint only beyond the exact numbers. */
export type Size = number | bigint

/** Rows by `major:minor`, in the text's order. */
export function parsePartitions(text: string): Map<string, Partition> {
  const partitions = new Map<string, Partition>()
  for (const line of text.split('\n')) {
    const [major, minor, size, name] = words(line)
    if (name === undefined) continue
    const device = { major: Number(major), minor: Number(minor) }
    const sizeKib = parseSize(size)
    if (sizeKib === undefined || !isNatural(device.major) || !isNatural(device.minor)) continue
    partitions.set(deviceKey(device), { ...device, sizeKib, name })
  }
  return partitions
}

function parseSize(text: string | undefined): Size | undefined {
  const size = Number(text)
  if (isNatural(size)) return size
  return isLargeNumber(text) ? BigInt(text) : undefined
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
