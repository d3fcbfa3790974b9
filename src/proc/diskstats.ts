/**
 * /proc/diskstats, admin-guide/iostats.rst. The kernel's version shows in the number of columns: 14, from
 * 4.18 on 18 with discards, from 5.5 on 20 with flushes. Readers take no other number.
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

/** Nothing was read or written meanwhile. */
const rendered = new WeakMap<readonly VisibleDisk[], { columns: number; text: string }>()

/** How many columns a row has: as the host's first. */
export function countColumns(host: string): 14 | 18 | 20 {
  const end = host.indexOf('\n')
  const count = words(end < 0 ? host : host.slice(0, end)).length
  if (count < 18) return 14
  return count < 20 ? 18 : 20
}

/** block/genhd.c, diskstats_show(). */
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
