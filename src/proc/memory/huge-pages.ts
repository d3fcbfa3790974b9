/**
 * The lines of /proc/meminfo on huge pages of the default size, hugetlbpage.rst. They are set aside on the
 * machine, so without a limit of its own a container may take the host's.
 */

import type { HugePages } from '../../cgroup/hugetlb.ts'
import { type Field, fieldValue } from '../lines.ts'

/** `readPages` gives the limit and the usage of huge pages of a size in kibibytes. */
export function hugePageFields(
  host: readonly Field[],
  readPages: (pageKib: number) => HugePages | undefined,
): Record<string, number> {
  const pageKib = fieldValue(host, 'Hugepagesize')
  const hostTotal = fieldValue(host, 'HugePages_Total')
  const hostFree = fieldValue(host, 'HugePages_Free')
  if (!pageKib || !hostTotal || hostFree === undefined) return {}
  const pages = readPages(pageKib)
  if (pages === undefined) return {}
  const pagesIn = (bytes: number) => Math.floor(bytes / 1024 / pageKib)
  const total = Math.min(pagesIn(pages.limitBytes), hostTotal)
  return {
    HugePages_Total: total,
    HugePages_Free: Math.min(Math.max(total - pagesIn(pages.usageBytes), 0), hostFree),
    // Reservations and surplus are the pool's, which has no share for a cgroup.
    HugePages_Rsvd: 0,
    HugePages_Surp: 0,
    Hugetlb: total * pageKib,
  }
}
