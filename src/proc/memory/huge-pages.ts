/**
 * The lines of /proc/meminfo on huge pages, hugetlbpage.rst. They are set aside on the machine, so without a limit of
 * its own a container may take the host's. `HugePages_*` are those of the default size. `Hugetlb` is the memory in pages
 * of all sizes: hugetlb_report_meminfo() of mm/hugetlb.c.
 */

import type { HugePages } from '../../cgroup/hugetlb.ts'
import { FIELD } from './fields.ts'
import type { HostMeminfo } from './host-meminfo.ts'

export interface HugePageSource {
  /** Gives the limit and the usage of pages of a size in kibibytes, `undefined` without a limit. */
  readPages: (pageKib: number) => HugePages | undefined
  /**
   * Gives how many pages of each size the machine has. They may be a little older for as long as the witness is the
   * same.
   */
  readCounts: (witness: string) => readonly HugePageCount[]
}

export interface HugePageCount {
  pageKib: number
  count: number
}

export function setHugePageFields(
  fields: Float64Array,
  host: HostMeminfo,
  source: HugePageSource,
): void {
  for (const cell of CELLS) fields[cell] = Number.NaN
  const pageKib = host.get('Hugepagesize')
  const count = host.get('HugePages_Total')
  if (!pageKib || count === undefined) return
  const hostKib = count * pageKib
  const total = count === 0 ? undefined : setPageCounts(fields, host, source, { pageKib, count })
  // Linux before 4.16 has no such line.
  const otherKib = Math.max((host.get('Hugetlb') ?? 0) - hostKib, 0)
  const deniedKib = otherKib === 0 ? 0 : deniedOthersKib(source, pageKib, `${count} ${otherKib}`)
  if (total === undefined && deniedKib === 0) return
  const ownKib = total === undefined ? hostKib : total * pageKib
  fields[FIELD.Hugetlb] = ownKib + Math.max(otherKib - deniedKib, 0)
}

/** Returns how many pages of the default size the container may have, `undefined` where that is what the host has. */
function setPageCounts(
  fields: Float64Array,
  host: HostMeminfo,
  { readPages }: HugePageSource,
  { pageKib, count }: HugePageCount,
): number | undefined {
  const hostFree = host.get('HugePages_Free')
  const pages = hostFree === undefined ? undefined : readPages(pageKib)
  if (hostFree === undefined || pages === undefined) return undefined
  const total = Math.min(pagesIn(pages.limitBytes, pageKib), count)
  const free = Math.max(total - pagesIn(pages.usageBytes, pageKib), 0)
  fields[FIELD.HugePages_Total] = total
  fields[FIELD.HugePages_Free] = Math.min(free, hostFree)
  // Reservations and surplus are the pool's, which has no share for a cgroup.
  fields[FIELD.HugePages_Rsvd] = 0
  fields[FIELD.HugePages_Surp] = 0
  return total
}

/** The memory in pages of other sizes than the default one that limits keep from the container. */
function deniedOthersKib(
  { readPages, readCounts }: HugePageSource,
  defaultKib: number,
  witness: string,
): number {
  let deniedKib = 0
  for (const { pageKib, count } of readCounts(witness)) {
    if (pageKib === defaultKib || pageKib === 0 || count === 0) continue
    const limitBytes = readPages(pageKib)?.limitBytes ?? Number.POSITIVE_INFINITY
    deniedKib += Math.max(count - pagesIn(limitBytes, pageKib), 0) * pageKib
  }
  return deniedKib
}

const pagesIn = (bytes: number, pageKib: number) => Math.floor(bytes / 1024 / pageKib)

const CELLS = [
  FIELD.HugePages_Total,
  FIELD.HugePages_Free,
  FIELD.HugePages_Rsvd,
  FIELD.HugePages_Surp,
  FIELD.Hugetlb,
]
