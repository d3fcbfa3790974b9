/**
 * /proc/meminfo, https://docs.kernel.org/filesystems/proc.html#meminfo
 * The host decides which lines exist and in what order. A line has the container's value where its cgroup counts it, 0
 * where the cgroup does not, and the host's value only where it is about the machine.
 */

import { parseCount } from '../cgroup/numbers.ts'
import { type Field, fieldValue, renderFields } from './lines.ts'
import { memoryFields } from './memory/fields.ts'
import { hugePageFields } from './memory/huge-pages.ts'
import { type LimitedMemory, type LimitedSwap, readMemory } from './memory/limit.ts'
import type { View } from './view.ts'

export function renderMeminfo(view: View): string {
  const container = readMemory(view)
  if (container === undefined) return view.hostFile('proc/meminfo')
  const { host } = container
  return renderFields(
    limitMeminfo(host, {
      ...container,
      hugePages: hugePageFields(host, pageKib => view.hugePages(pageKib)),
      overcommit: readOvercommit(view),
      clampFree: view.options.clampFreeToHost === 'on',
    }),
  )
}

interface Limits {
  memory: LimitedMemory
  swap: LimitedSwap
  /** Values of the lines on huge pages, where they are not the host's. */
  hugePages: Readonly<Record<string, number>>
  overcommit: Overcommit
  /** Whether no more may be free than is free on the host. */
  clampFree: boolean
}

/** The host's fields with what the container may see of them. */
export function limitMeminfo(host: readonly Field[], limits: Limits): Field[] {
  const { swap } = limits
  const counted = memoryFields(limits.memory)
  const seen: Record<string, number> = {
    ...counted,
    ...limits.hugePages,
    Mlocked: Math.min(counted.Unevictable, fieldValue(host, 'Mlocked') ?? 0),
    // htop subtracts this from the swap in use, unsigned; v1 counts pages that are in the cache only.
    SwapCached: Math.min(counted.SwapCached, swap.mostCachedKib),
    SwapTotal: swap.totalKib,
    SwapFree: swap.freeKib,
    CommitLimit: commitLimit(counted.MemTotal, swap.totalKib, limits.overcommit),
    // This is what is certainly committed: no cgroup counts how much was promised beyond it.
    Committed_AS: counted.AnonPages + counted.Shmem + swap.usedKib,
  }
  if (limits.clampFree) {
    seen.MemFree = Math.min(counted.MemFree, fieldValue(host, 'MemFree') ?? 0)
    seen.MemAvailable = Math.min(counted.MemAvailable, fieldValue(host, 'MemAvailable') ?? 0)
  }
  return host.map(field => ({
    ...field,
    value: seen[field.key] ?? otherValue(field, counted.MemTotal),
  }))
}

/** The value of a line that no cgroup counts, or that a kernel to come may have. */
function otherValue({ key, value, unit }: Field, memTotal: number): number {
  const isMachines = unit === '' || MACHINE_KEYS.has(key) || key.startsWith('DirectMap')
  // Whatever the line counts, a container cannot have more of it than it has memory.
  return isMachines ? value : Math.min(value, memTotal)
}

/** These lines are sizes of the address space and of huge pages: facts of the machine, not amounts of memory. */
const MACHINE_KEYS: ReadonlySet<string> = new Set([
  'VmallocTotal',
  'VmallocChunk',
  'Hugepagesize',
  'Hugetlb',
])

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

function readOvercommit(view: View): Overcommit {
  const kbytes = readSysctl(view, 'proc/sys/vm/overcommit_kbytes') ?? 0
  const ratio = kbytes > 0 ? undefined : readSysctl(view, 'proc/sys/vm/overcommit_ratio')
  return { kbytes, ratio: ratio ?? DEFAULT_RATIO }
}

/** `undefined` where the kernel has no such knob: overcommit_kbytes came with Linux 3.14. */
function readSysctl(view: View, path: string): number | undefined {
  try {
    return parseCount(view.hostFile(path))
  } catch {
    return undefined
  }
}

const DEFAULT_RATIO = 50
