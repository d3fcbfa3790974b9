/** sar -B and -W: https://github.com/sysstat/sysstat, read_vmstat_paging() and read_vmstat_swap() of rd_stats.c */

import { refuse, vmstatOf } from './refusal.ts'

export interface Paging {
  pgscanKswapd: number
  pgscanDirect: number
  /** Whatever reclaims; sar divides this by the other two. */
  pgsteal: number
}

export function checkVmstat(text: string): void {
  const counts = vmstatOf('sar', text)
  for (const name of [
    'pgpgin',
    'pgpgout',
    'pgfault',
    'pgmajfault',
    'pgfree',
    'pswpin',
    'pswpout',
  ]) {
    if (!counts.has(name)) refuse('sar', `${name} of vmstat`, text)
  }
}

/** The older sum up what begins with these words. */
export function readPaging(text: string): Paging {
  let paging: Paging = { pgscanKswapd: 0, pgscanDirect: 0, pgsteal: 0 }
  for (const [name, count] of vmstatOf('sar', text)) {
    if (/^pgscan_kswapd/.test(name))
      paging = { ...paging, pgscanKswapd: paging.pgscanKswapd + count }
    if (/^pgscan_direct/.test(name))
      paging = { ...paging, pgscanDirect: paging.pgscanDirect + count }
    if (/^pgsteal_(?!anon|file)/.test(name)) paging = { ...paging, pgsteal: paging.pgsteal + count }
  }
  return paging
}
