/** /proc/partitions, proc_partitions(5): the visible devices that have a size. */

import { type DeviceNumber, deviceKey, words } from './disk/counters.ts'
import type { VisibleDisk } from './disk/visible.ts'
import type { View } from './view.ts'

export function renderPartitions(view: View): string {
  const disks = view.disks()
  return disks === undefined ? view.hostFile('proc/partitions') : formatPartitions(disks)
}

export interface Partition extends DeviceNumber {
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

/** block/genhd.c, show_partition(): the heading and an empty line come even without a row. */
export function formatPartitions(disks: readonly VisibleDisk[]): string {
  let text = 'major minor  #blocks  name\n\n'
  for (const { major, minor, name, sizeKib } of disks) {
    if (name === '' || sizeKib === undefined || sizeKib === 0) continue
    const device = `${String(major).padStart(4)}  ${String(minor).padStart(7)}`
    text += `${device} ${String(sizeKib).padStart(10)} ${name}\n`
  }
  return text
}

const isNatural = (value: number) => Number.isSafeInteger(value) && value >= 0
