/** The sizes of huge pages that the machine has: /sys/kernel/mm/hugepages, hugetlbpage.rst. */

import type { Host } from './host.ts'

/** In kibibytes; none where sysfs does not say. The kernel knows all of them when it has started. */
export function hugePageSizes(host: Host): readonly number[] {
  const known = sizesOf.get(host)
  if (known !== undefined) return known
  const sizes: number[] = []
  for (const name of host.directories('sys/kernel/mm/hugepages')) {
    const [, kib] = /^hugepages-(\d{1,9})kB$/.exec(name) ?? []
    if (kib !== undefined) sizes.push(Number(kib))
  }
  if (sizes.length > 0) sizesOf.set(host, sizes)
  return sizes
}

const sizesOf = new WeakMap<Host, readonly number[]>()
