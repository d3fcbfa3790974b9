/** /proc/partitions, proc_partitions(5): the visible devices that have a size. */

import type { VisibleDisk } from './disk/visible.ts'
import type { View } from './view.ts'

export function renderPartitions(view: View): string {
  const disks = view.disks()
  return disks === undefined ? view.hostFile('proc/partitions') : renderPartitionRows(disks)
}

/** show_partition() of block/genhd.c writes the heading and an empty line even without a row. */
export function renderPartitionRows(disks: readonly VisibleDisk[]): string {
  let text = 'major minor  #blocks  name\n\n'
  for (const { major, minor, name, sizeKib } of disks) {
    if (name === '' || sizeKib === undefined || sizeKib === 0) continue
    const device = `${String(major).padStart(4)}  ${String(minor).padStart(7)}`
    text += `${device} ${String(sizeKib).padStart(10)} ${name}\n`
  }
  return text
}
