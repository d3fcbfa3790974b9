/**
 * The lines of /proc/meminfo on huge pages of the default size, hugetlbpage.rst. They are set aside on the
 * machine, so without a limit of its own a container may take the host's.
 */

import type { HugePages } from '../../cgroup/hugetlb.ts'
import { FIELD } from './fields.ts'
import type { HostMeminfo } from './host-meminfo.ts'

/** `readPages` gives the limit and the usage of huge pages of a size in kibibytes. */
export function setHugePageFields(
  fields: Float64Array,
  host: HostMeminfo,
  readPages: (pageKib: number) => HugePages | undefined,
): void {
  for (const cell of CELLS) fields[cell] = Number.NaN
  const pageKib = host.get('Hugepagesize')
  const hostTotal = host.get('HugePages_Total')
  const hostFree = host.get('HugePages_Free')
  if (!pageKib || !hostTotal || hostFree === undefined) return
  const pages = readPages(pageKib)
  if (pages === undefined) return
  const pagesIn = (bytes: number) => Math.floor(bytes / 1024 / pageKib)
  const total = Math.min(pagesIn(pages.limitBytes), hostTotal)
  const free = Math.max(total - pagesIn(pages.usageBytes), 0)
  fields[FIELD.HugePages_Total] = total
  fields[FIELD.HugePages_Free] = Math.min(free, hostFree)
  // Reservations and surplus are the pool's, which has no share for a cgroup.
  fields[FIELD.HugePages_Rsvd] = 0
  fields[FIELD.HugePages_Surp] = 0
  fields[FIELD.Hugetlb] = total * pageKib
}

const CELLS = [
  FIELD.HugePages_Total,
  FIELD.HugePages_Free,
  FIELD.HugePages_Rsvd,
  FIELD.HugePages_Surp,
  FIELD.Hugetlb,
]
