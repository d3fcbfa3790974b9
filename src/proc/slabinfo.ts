/**
 * /proc/slabinfo, slabinfo(5). Only v1 kept a list of caches by cgroup, and since Linux 5.9 it gives an empty one.
 * slabtop takes a list without rows, but no empty file.
 */

import { readMemory } from './memory/read.ts'
import type { View } from './view.ts'

export function renderSlabinfo(view: View): string {
  const container = view.options.slabinfo === 'host' ? undefined : readMemory(view)
  if (container === undefined) return view.hostFile('proc/slabinfo')
  return limitSlabinfo(container.cgroup.slabinfo())
}

/** The container's own list where there is one with rows, else a list without rows. */
export function limitSlabinfo(own: string | undefined): string {
  if (own === undefined || own.includes('\0') || !isList(own)) return HEADER
  return own.endsWith('\n') ? own : `${own}\n`
}

/** Whether the text has the headings of this version, and rows. */
function isList(text: string): boolean {
  const [version = '', names = '', ...rows] = text.replace(/\n$/, '').split('\n')
  if (!VERSION.test(version) || !NAMES.test(names)) return false
  return rows.length > 0 && rows.every(row => ROW.test(row))
}

const VERSION = /^slabinfo - version: 2\.\d$/

/** A row of cache_show() in mm/slab_common.c, as slabtop reads it. What has 20 digits may be no number of 64 bits. */
const ROW = /^\S+(?: +\d{1,19}){5} +: tunables(?: +\d{1,19}){3} +: slabdata(?: +\d{1,19}){3}$/

const NAMES = /^# name(?: +(?:<\w+>|:|tunables|slabdata))+$/

/** What print_slabinfo_header() of mm/slab_common.c writes. */
const HEADER = `slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
`
