/**
 * /proc/diskstats, admin-guide/iostats.rst. The kernel's version shows in the number of columns: there are 14, from
 * 4.18 on 18 with discards, and from 5.5 on 20 with flushes. Readers take no other number.
 */

import { DISK_FIELDS, type DiskCounters, words } from './disk/counters.ts'
import type { VisibleDisk } from './disk/visible.ts'
import type { View } from './view.ts'

export function renderDiskstats(view: View): string {
  const host = view.hostFile('proc/diskstats')
  const disks = view.options.diskstats === 'host' ? undefined : view.disks()
  if (disks === undefined) return host
  const columns = countColumns(host)
  const known = rendered.get(disks)
  if (known?.columns === columns) return known.text
  const text = renderDiskstatsRows(disks, columns)
  rendered.set(disks, { columns, text })
  return text
}

/** The texts of disks on which nothing was read or written since: then the array is still the same. */
const rendered = new WeakMap<readonly VisibleDisk[], { columns: number; text: string }>()

/** How many columns a row has: as many as the host's first row. */
export function countColumns(host: string): 14 | 18 | 20 {
  const end = host.indexOf('\n')
  const count = words(end < 0 ? host : host.slice(0, end)).length
  if (count < 18) return 14
  return count < 20 ? 18 : 20
}

/** diskstats_show() of block/genhd.c writes such rows. */
export function renderDiskstatsRows(disks: readonly VisibleDisk[], columns: number): string {
  let text = ''
  for (const { major, minor, name, counters } of disks) {
    if (counters === undefined) continue
    text += `${String(major).padStart(4)} ${String(minor).padStart(7)} ${name}`
    text += renderCounters(counters, columns - 3)
  }
  return text
}

function renderCounters(counters: DiskCounters, count: number): string {
  let text = ''
  for (let i = 0; i < count; i++) text += ` ${counters[DISK_FIELDS[i] ?? 'flushMs']}`
  return `${text}\n`
}
