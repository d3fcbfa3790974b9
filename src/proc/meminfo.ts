/**
 * /proc/meminfo, https://docs.kernel.org/filesystems/proc.html#meminfo
 * The host decides which lines exist and in what order. A line has the container's value where its cgroup counts it, 0
 * where the cgroup does not, and the host's value only where it is about the machine.
 */

import { FIELD, makeFields } from './memory/fields.ts'
import type { HostMeminfo } from './memory/host-meminfo.ts'
import { type HugePageCount, type HugePageSource, setHugePageFields } from './memory/huge-pages.ts'
import { kib } from './memory/limit.ts'
import { type MemoryLimits, setLimitedFields } from './memory/limited-fields.ts'
import { readMemory } from './memory/read.ts'
import { readNumber } from './read-number.ts'
import type { View } from './view.ts'

export function renderMeminfo(view: View): string | Buffer {
  const container = readMemory(view)
  if (container === undefined) return view.hostFile('proc/meminfo')
  return limitMeminfo(container.host, {
    ...container,
    hugePages: {
      readPages: pageKib => view.hugePages(pageKib),
      readCounts: witness => readCounts(view, witness),
    },
    overcommit: readOvercommit(view, container.host.get('CommitLimit')),
    clampFree: view.options.clampFreeToHost === 'on',
  })
}

interface Limits extends MemoryLimits {
  hugePages: HugePageSource
  overcommit: Overcommit
}

/** The values of one container after the other. */
const fields = makeFields()

/** The host's text with what the container may see of it. */
export function limitMeminfo(host: HostMeminfo, limits: Limits): Buffer {
  const { memory, swap } = limits
  setLimitedFields(fields, host, limits)
  setHugePageFields(fields, host, limits.hugePages)
  const memTotal = kib(memory.totalBytes)
  fields[FIELD.SwapTotal] = swap.totalKib
  fields[FIELD.SwapFree] = swap.freeKib
  fields[FIELD.CommitLimit] = commitLimit(memTotal, swap.totalKib, limits.overcommit)
  // This is what is certainly committed: no cgroup counts how much was promised beyond it.
  const usedKib = (fields[FIELD.AnonPages] ?? 0) + (fields[FIELD.Shmem] ?? 0)
  fields[FIELD.Committed_AS] = usedKib + swap.usedKib
  return host.render(fields)
}

/** vm.overcommit_kbytes and vm.overcommit_ratio, https://docs.kernel.org/admin-guide/sysctl/vm.html */
interface Overcommit {
  kbytes: number
  /** Percent of the memory; counts only while `kbytes` is 0. */
  ratio: number
}

/** This is vm_commit_limit() of mm/util.c, but no more than the container's own memory stands behind either number. */
function commitLimit(memTotal: number, swapTotal: number, { kbytes, ratio }: Overcommit): number {
  const backed = kbytes > 0 ? Math.min(kbytes, memTotal) : Math.floor((memTotal * ratio) / 100)
  return Math.min(backed + swapTotal, Number.MAX_SAFE_INTEGER)
}

/** The kernel makes `commitLimit` of the host from these two; overcommit_kbytes came with Linux 3.14. */
function readOvercommit(view: View, commitLimit: number | undefined): Overcommit {
  const kbytes = readNumber(view, 'proc/sys/vm/overcommit_kbytes', commitLimit) ?? 0
  const ratio =
    kbytes > 0 ? undefined : readNumber(view, 'proc/sys/vm/overcommit_ratio', commitLimit)
  return { kbytes, ratio: ratio ?? DEFAULT_RATIO }
}

/** How many huge pages of each size there are on the machine. */
function readCounts(view: View, witness: string): HugePageCount[] {
  return view.hugePageSizes().map(pageKib => {
    const path = `sys/kernel/mm/hugepages/hugepages-${pageKib}kB/nr_hugepages`
    return { pageKib, count: readNumber(view, path, witness) ?? 0 }
  })
}

const DEFAULT_RATIO = 50
