/**
 * /proc/slabinfo, slabinfo(5). Only v1 kept a list of caches by cgroup, and gives an empty one since
 * Linux 5.9; slabtop takes a list without rows, but no empty file.
 */

import { readMemory } from './memory-limit.ts'
import type { View } from './view.ts'

export function renderSlabinfo(view: View): string {
  const container = view.options.slabinfo === 'host' ? undefined : readMemory(view)
  if (container === undefined) return view.hostFile('proc/slabinfo')
  return limitSlabinfo(container.cgroup.slabinfo())
}

/** The container's own list where there is one with rows, else a list without. */
export function limitSlabinfo(own: string | undefined): string {
  if (own === undefined || rowsOf(own) === '') return HEADER
  return own.endsWith('\n') ? own : `${own}\n`
}

function rowsOf(text: string): string {
  const names = text.indexOf('\n') + 1
  const rows = names === 0 ? 0 : text.indexOf('\n', names) + 1
  return rows === 0 ? '' : text.slice(rows).trim()
}

/** mm/slab_common.c, print_slabinfo_header(). */
const HEADER = `slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
`
