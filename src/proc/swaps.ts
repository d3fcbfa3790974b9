/**
 * /proc/swaps, proc_swaps(5). A cgroup has no swap areas, only an amount of swap: one row shows it, with the
 * numbers of meminfo.
 */

import type { LimitedSwap } from './memory/limit.ts'
import { readMemory } from './memory/read.ts'
import type { View } from './view.ts'

export function renderSwaps(view: View): string {
  const host = view.hostFile('proc/swaps')
  const container = readMemory(view)
  return container === undefined ? host : limitSwaps(host, container.swap)
}

/** The host's header, and a row when there is swap to show. */
export function limitSwaps(host: string, swap: LimitedSwap): string {
  const end = host.indexOf('\n')
  const header = end < 0 ? host : host.slice(0, end)
  return `${header}\n${swap.totalKib > 0 ? renderRow(header, swap) : ''}`
}

/**
 * mm/swapfile.c, swap_show(): the name is padded to 40 columns. Kernels whose header has two tabs
 * between the columns set a second one in a row, behind a number of less than 8 digits.
 */
function renderRow(header: string, swap: LimitedSwap): string {
  const wide = header.includes('Size\t\t')
  const column = (kib: number) => `${kib}\t${wide && kib < 10_000_000 ? '\t' : ''}`
  const used = swap.totalKib - swap.freeKib
  return `${'none'.padEnd(40)}virtual\t\t${column(swap.totalKib)}${column(used)}0\n`
}
