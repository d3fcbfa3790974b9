/**
 * What has happened to the memory of a cgroup, its descendants included, under the names of /proc/vmstat and in its units.
 */

import { FlatKeyed } from './flat-keyed.ts'
import type { Group } from './group.ts'
import { findCount } from './numbers.ts'

/**
 * These have the same names and units in memory.stat: memcg_vm_event_stat and memory_stats of mm/memcontrol.c,
 * memcg1_events and memcg1_stats of mm/memcontrol-v1.c. How many of them a kernel has depends on its version.
 */
const STAT_EVENTS = [
  'pgfault',
  'pgmajfault',
  'pswpin',
  'pswpout',
  'swpin_zero',
  'swpout_zero',
  'pgactivate',
  'pgdeactivate',
  'pgrefill',
  'pglazyfree',
  'pglazyfreed',
  // These two are sums, which vmstat does not have, and before Linux 6.0 there is no more of them.
  'pgscan',
  'pgsteal',
  'pgscan_kswapd',
  'pgscan_direct',
  'pgscan_khugepaged',
  'pgscan_proactive',
  'pgsteal_kswapd',
  'pgsteal_direct',
  'pgsteal_khugepaged',
  'pgsteal_proactive',
  'pgdemote_kswapd',
  'pgdemote_direct',
  'pgdemote_khugepaged',
  'pgdemote_proactive',
  'pgpromote_success',
  'workingset_refault',
  'workingset_activate',
  'workingset_restore',
  'workingset_refault_anon',
  'workingset_refault_file',
  'workingset_activate_anon',
  'workingset_activate_file',
  'workingset_restore_anon',
  'workingset_restore_file',
  'workingset_nodereclaim',
  'thp_fault_alloc',
  'thp_collapse_alloc',
  'thp_swpout',
  'thp_swpout_fallback',
  'zswpin',
  'zswpout',
  'zswpwb',
  'numa_pages_migrated',
  'numa_pte_updates',
  'numa_hint_faults',
] as const

/** These are counted elsewhere; the last two are of block I/O, in KiB. */
const OTHER_EVENTS = ['oom_kill', 'pgpgin', 'pgpgout'] as const

export const MEMORY_EVENTS = [...STAT_EVENTS, ...OTHER_EVENTS] as const

export type MemoryEvent = (typeof MEMORY_EVENTS)[number]

/** Where the count of each event is. */
export const EVENT_CELLS = Object.fromEntries(
  MEMORY_EVENTS.map((name, i) => [name, i]),
) as Readonly<Record<MemoryEvent, number>>

/** Counts at EVENT_CELLS, NaN where the kernel gives none or one that makes no sense. */
export type EventCounts = Float64Array<ArrayBuffer>

export const makeEventCounts = (): EventCounts =>
  new Float64Array(MEMORY_EVENTS.length).fill(Number.NaN)

/** What was read last, of whichever cgroup. */
const counts = makeEventCounts()

/** Reads the events of cgroups of one version. `prefix` stands before their names in memory.stat. */
export class EventReader {
  readonly #stat: FlatKeyed
  readonly #oomFile: string

  /** `oomFile` has a line `oom_kill NUMBER`. */
  constructor(prefix: string, oomFile: string) {
    this.#stat = new FlatKeyed(
      new Map(STAT_EVENTS.map(name => [`${prefix}${name}`, EVENT_CELLS[name]])),
    )
    this.#oomFile = oomFile
  }

  /** What is returned holds until the events of another cgroup are read. */
  read(group: Group): EventCounts {
    counts.fill(Number.NaN)
    const stat = group.bytes('memory.stat')
    if (stat !== undefined) this.#stat.parse(stat, counts)
    const oom = group.read(this.#oomFile)
    const kills = oom === undefined ? undefined : findCount(oom, 'oom_kill')
    counts[EVENT_CELLS.oom_kill] = Number.isSafeInteger(kills) ? (kills ?? 0) : Number.NaN
    return counts
  }
}
