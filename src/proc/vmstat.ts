/**
 * /proc/vmstat, vmstat_text of mm/vmstat.c. The host decides which lines exist and in what order.
 *
 * - An amount of memory is the one that meminfo shows, in pages.
 * - What processes do (faults, reclaim, swap, huge pages, block I/O) is what the container's cgroups count, and 0 where
 *   they count none. That is also what a line shows that is not known.
 * - The host's number stays where it is about the machine: thresholds, kswapd, compaction, migration, the placement of
 *   pages on nodes, the pools of huge pages and CMA, the kernel's own mappings, and what an operator did.
 */

import {
  EVENT_CELLS,
  type EventCounts,
  MEMORY_EVENTS,
  type MemoryEvent,
} from '../cgroup/memory-events.ts'
import { FIELD, makeFields } from './memory/fields.ts'
import type { HostMeminfo } from './memory/host-meminfo.ts'
import { HostVmstat } from './memory/host-vmstat.ts'
import { setLimitedFields } from './memory/limited-fields.ts'
import { readMemory } from './memory/read.ts'
import { readNumber } from './read-number.ts'
import type { View } from './view.ts'

export function renderVmstat(view: View): string | Buffer {
  const container = readMemory(view)
  if (container === undefined) return view.hostFile('proc/vmstat')
  const clampFree = view.options.clampFreeToHost === 'on'
  setLimitedFields(fields, container.host, { ...container, clampFree })
  setAmounts(view, fields, readPageKib(view, container.host))
  setEvents(view.events())
  return host.render(values)
}

/** The text of a node, with the same lines as far as a node has them; `text` is the host's. */
export function limitNodeVmstat(view: HostFiles, text: string, node: NodeAmounts): string {
  setAmounts(view, node.fields, node.pageKib)
  setEvents(node.events)
  const bytes = Buffer.from(text)
  nodeHost.update({ buffer: bytes, length: bytes.length, version: ++nodeVersions })
  return nodeHost.render(values).toString()
}

type HostFiles = Pick<View, 'hostFile'>

interface NodeAmounts {
  /** Kibibytes under the names of meminfo. */
  fields: Float64Array
  pageKib: number
  events: EventCounts | undefined
}

type Amount = keyof typeof FIELD

/** Lines that show an amount of memory in pages, and the lines of meminfo whose sum that is. */
const PAGES: Readonly<Record<string, readonly Amount[]>> = {
  nr_free_pages: ['MemFree'],
  // A container's free memory is in no blocks of its own.
  nr_free_pages_blocks: ['MemFree'],
  nr_zone_inactive_anon: ['Inactive(anon)'],
  nr_zone_active_anon: ['Active(anon)'],
  nr_zone_inactive_file: ['Inactive(file)'],
  nr_zone_active_file: ['Active(file)'],
  nr_zone_unevictable: ['Unevictable'],
  nr_zone_write_pending: ['Dirty', 'Writeback'],
  nr_mlock: ['Mlocked'],
  nr_zspages: ['Zswap'],
  nr_inactive_anon: ['Inactive(anon)'],
  nr_active_anon: ['Active(anon)'],
  nr_inactive_file: ['Inactive(file)'],
  nr_active_file: ['Active(file)'],
  nr_unevictable: ['Unevictable'],
  nr_slab_reclaimable: ['SReclaimable'],
  nr_slab_unreclaimable: ['SUnreclaim'],
  nr_anon_pages: ['AnonPages'],
  nr_mapped: ['Mapped'],
  nr_file_pages: ['Cached', 'SwapCached'],
  nr_dirty: ['Dirty'],
  nr_writeback: ['Writeback'],
  nr_shmem: ['Shmem'],
  nr_page_table_pages: ['PageTables'],
  nr_sec_page_table_pages: ['SecPageTables'],
  nr_swapcached: ['SwapCached'],
  nr_vmalloc: ['VmallocUsed'],
}

/** These lines count huge pages: vmstat_item_print_in_thp() of include/linux/mmzone.h. */
const HUGE_PAGES: Readonly<Record<string, Amount>> = {
  nr_shmem_hugepages: 'ShmemHugePages',
  nr_file_hugepages: 'FileHugePages',
  nr_anon_transparent_hugepages: 'AnonHugePages',
}

/** These lines are about the machine. */
const MACHINE =
  /^(?:nr_dirty_(?:background_)?threshold|nr_memmap_.*|nr_vmscan_.*|nr_tlb_.*|numa_.*|kswapd_.*|pageoutrun|zone_reclaim_.*|drop_.*|pgmigrate_.*|thp_migration_.*|compact_.*|htlb_.*|cma_.*|balloon_.*|direct_map_.*)$/

const KEYS = [
  ...Object.keys(PAGES),
  ...Object.keys(HUGE_PAGES),
  ...MEMORY_EVENTS,
  'nr_kernel_stack',
]

const CELLS: ReadonlyMap<string, number> = new Map(KEYS.map((key, i) => [key, i]))
const cellOf = (key: string) => CELLS.get(key) ?? -1

/** The values of one container after the other. The last one is 0, for all lines that nobody counts. */
const values = new Float64Array(KEYS.length + 1)
const fields = makeFields()

/** What these lines add up to is also in meminfo: it tells the size of a page. */
const OF_PAGE_SIZE = new Set([
  ...['nr_free_pages', 'nr_inactive_anon', 'nr_active_anon', 'nr_inactive_file', 'nr_active_file'],
])

const cellOfLine = (key: string) => CELLS.get(key) ?? (MACHINE.test(key) ? undefined : KEYS.length)

/** One for all containers, and one for the files of nodes. */
const host = new HostVmstat(cellOfLine, OF_PAGE_SIZE)
const nodeHost = new HostVmstat(cellOfLine, OF_PAGE_SIZE)
let nodeVersions = 0

const toPages = Object.entries(PAGES).map(([key, amounts]) => ({
  cell: cellOf(key),
  amounts: amounts.map(amount => FIELD[amount]),
}))
const toHugePages = Object.entries(HUGE_PAGES).map(([key, amount]) => ({
  cell: cellOf(key),
  field: FIELD[amount],
}))
const toEvents = MEMORY_EVENTS.map(name => ({
  cell: cellOf(name),
  event: EVENT_CELLS[name],
  otherwise: MACHINE.test(name) ? Number.NaN : 0,
}))

/** The size of a page of the machine. `meminfo` is the host's. */
export function readPageKib(view: Pick<View, 'hostText'>, meminfo: HostMeminfo): number {
  host.update(view.hostText('proc/vmstat'))
  return findPageKib(meminfo, host.pages)
}

/** Sets what `fields` say under the names of meminfo. */
function setAmounts(view: HostFiles, fields: Float64Array, pageKib: number): void {
  for (const { cell, amounts } of toPages) {
    let kib = 0
    for (const field of amounts) kib += fields[field] ?? 0
    values[cell] = Math.floor(kib / pageKib)
  }
  values[cellOf('nr_kernel_stack')] = fields[FIELD.KernelStack] ?? 0
  for (const { cell, field } of toHugePages) {
    const kib = fields[field] ?? 0
    values[cell] = kib === 0 ? 0 : Math.floor(kib / readHugePageKib(view, pageKib))
  }
}

/** The same memory is so many pages, and so much in meminfo: the quotient is near a power of two. */
function findPageKib(meminfo: HostMeminfo, pages: number): number {
  const kib = ['MemFree', 'Active', 'Inactive'].reduce(
    (sum, key) => sum + (meminfo.get(key) ?? 0),
    0,
  )
  const bits = Math.round(Math.log2(kib / pages))
  return bits > LEAST_PAGE_BITS && bits <= MOST_PAGE_BITS ? 2 ** bits : 2 ** LEAST_PAGE_BITS
}

/** A page has 4 to 64 KiB. */
const LEAST_PAGE_BITS = 2
const MOST_PAGE_BITS = 6

/** A table of page entries has one page, and an entry 8 bytes, where the kernel does not say what a huge page is. */
function readHugePageKib(view: HostFiles, pageKib: number): number {
  const path = 'sys/kernel/mm/transparent_hugepage/hpage_pmd_size'
  const bytes = readNumber(view, path, 'is the same until the machine starts again')
  return bytes ? bytes / 1024 : (pageKib * 1024 * pageKib) / 8
}

/** `undefined` where nobody counts: that is 0, too. */
function setEvents(counts: EventCounts | undefined): void {
  for (const { cell, event, otherwise } of toEvents) {
    const count = counts?.[event] ?? Number.NaN
    values[cell] = Number.isNaN(count) ? otherwise : count
  }
  if (counts === undefined) return
  // A limit has the container itself reclaim, and not kswapd.
  takeSum(counts, 'pgscan', 'pgscan_direct')
  takeSum(counts, 'pgsteal', 'pgsteal_direct')
}

/** Before Linux 6.0 memory.stat has only the sum of both ways. */
function takeSum(counts: EventCounts, sum: MemoryEvent, part: MemoryEvent): void {
  const count = counts[EVENT_CELLS[sum]] ?? Number.NaN
  if (Number.isNaN(counts[EVENT_CELLS[part]]) && !Number.isNaN(count)) values[cellOf(part)] = count
}
