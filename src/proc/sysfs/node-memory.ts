/**
 * nodeN/meminfo and nodeN/vmstat, node_read_meminfo() and node_read_vmstat() of drivers/base/node.c. A container that may
 * use one node has all its memory there, as meminfo says. On each of several nodes it has what memory.numa_stat counts,
 * no more in all than its limit, and no more free than is left of that.
 */

import {
  EVENT_CELLS,
  type EventCounts,
  MEMORY_EVENTS,
  makeEventCounts,
} from '../../cgroup/memory-events.ts'
import type { NumaStat } from '../../cgroup/numa-stat.ts'
import { FIELD, FIELD_CELLS, makeFields } from '../memory/fields.ts'
import { setLimitedFields } from '../memory/limited-fields.ts'
import { readMemory } from '../memory/read.ts'
import { limitNodeVmstat, readPageKib } from '../vmstat.ts'
import type { SysView } from './directory.ts'
import { NODE_PATH } from './nodes.ts'

/** Lines whose amounts memory.numa_stat has; v1 has only two of them. `file` is Cached and SwapCached. */
const COUNTED = {
  AnonPages: 'anon',
  Unevictable: 'unevictable',
  KernelStack: 'kernel_stack',
  PageTables: 'pagetables',
  SecPageTables: 'sec_pagetables',
  Shmem: 'shmem',
  Mapped: 'file_mapped',
  Dirty: 'file_dirty',
  Writeback: 'file_writeback',
  SwapCached: 'swapcached',
  AnonHugePages: 'anon_thp',
  FileHugePages: 'file_thp',
  ShmemHugePages: 'shmem_thp',
  'Active(anon)': 'active_anon',
  'Inactive(anon)': 'inactive_anon',
  'Active(file)': 'active_file',
  'Inactive(file)': 'inactive_file',
  SReclaimable: 'slab_reclaimable',
  SUnreclaim: 'slab_unreclaimable',
} as const satisfies Partial<Record<keyof typeof FIELD, string>>

const FIELDS = Object.entries(COUNTED).map(([key, name]) => ({
  field: FIELD[key as keyof typeof COUNTED],
  name,
}))

/** What of these is used is not free; the others are parts of them. */
const USED = [
  'anon',
  'file',
  'kernel_stack',
  'pagetables',
  'slab_reclaimable',
  'slab_unreclaimable',
]

interface NodeMemory {
  /** Kibibytes under the names of meminfo. */
  fields: Float64Array
  pageKib: number
  /** What has happened on the node, as far as that is counted. */
  events: EventCounts | undefined
}

/** `host` is the text of the node's file. */
export function renderNodeMeminfo(
  host: string,
  view: SysView,
  node: number,
  nodes: readonly number[],
): string {
  const memory = readNodeMemory(host, view, node, nodes)
  return memory === undefined ? host : host.replace(LINE, (...line) => renderLine(line, memory))
}

export function renderNodeVmstat(
  host: string,
  view: SysView,
  node: number,
  nodes: readonly number[],
): string {
  const meminfo = view.hostFile(`${NODE_PATH}/node${node}/meminfo`, node)
  const memory = readNodeMemory(meminfo, view, node, nodes)
  return memory === undefined ? host : limitNodeVmstat(view, host, memory)
}

const LINE = /^(Node \d+ ([^:\n]+):)( +\d+)( kB)$/gm

function renderLine([whole, label, key, number, unit]: string[], { fields }: NodeMemory): string {
  const kib = amountOf(key ?? '', fields)
  return kib === undefined
    ? (whole ?? '')
    : `${label}${`${kib}`.padStart(number?.length ?? 0)}${unit}`
}

/** `undefined` for a line that shows what the host's does. */
function amountOf(key: string, fields: Float64Array): number | undefined {
  const of = (field: number) => fields[field] ?? 0
  if (key === 'MemUsed') return of(FIELD.MemTotal) - of(FIELD.MemFree)
  if (key === 'FilePages') return of(FIELD.Cached) + of(FIELD.SwapCached)
  const field = FIELD_CELLS.get(key)
  return field === undefined ? undefined : of(field)
}

/** `meminfo` is the node's, of the host. `undefined` when the host's memory is what the container sees. */
function readNodeMemory(
  meminfo: string,
  view: SysView,
  node: number,
  nodes: readonly number[],
): NodeMemory | undefined {
  const container = readMemory(view)
  if (container === undefined) return undefined
  const fields = makeFields()
  const clampFree = view.options.clampFreeToHost === 'on'
  setLimitedFields(fields, container.host, { ...container, clampFree })
  const pageKib = readPageKib(view, container.host)
  const [, totalKib] = /^Node \d+ MemTotal: +(\d+) kB$/m.exec(meminfo) ?? []
  const total = Math.min(Number(totalKib ?? 0), fields[FIELD.MemTotal] ?? 0)
  const free = Math.min(total, fields[FIELD.MemFree] ?? 0)
  fields[FIELD.MemTotal] = total
  fields[FIELD.MemFree] = free
  if (nodes.length === 1) return { fields, pageKib, events: view.events() }
  const counted = countOn(node, view.numaStat(), pageKib)
  const mlocked = Math.min(fields[FIELD.Mlocked] ?? 0, counted('unevictable'))
  setCounted(fields, counted)
  const used = USED.reduce((sum, name) => sum + counted(name), 0)
  fields[FIELD.MemTotal] = total
  fields[FIELD.MemFree] = Math.min(free, Math.max(total - used, 0))
  fields[FIELD.Mlocked] = mlocked
  return { fields, pageKib, events: countEvents(node, view.numaStat()) }
}

/** Gives kibibytes on the node by a name of memory.numa_stat. */
type Counted = (name: string) => number

function countOn(node: number, stat: NumaStat | undefined, pageKib: number): Counted {
  const unitKib = stat?.unit === 'pages' ? pageKib : 1 / 1024
  return name => Math.floor((stat?.counts.get(name)?.get(node) ?? 0) * unitKib)
}

function setCounted(fields: Float64Array, counted: Counted): void {
  fields.fill(0)
  for (const { field, name } of FIELDS) fields[field] = counted(name)
  const of = (field: number) => fields[field] ?? 0
  fields[FIELD.Cached] = Math.max(counted('file') - of(FIELD.SwapCached), 0)
  fields[FIELD.Active] = of(FIELD['Active(anon)']) + of(FIELD['Active(file)'])
  fields[FIELD.Inactive] = of(FIELD['Inactive(anon)']) + of(FIELD['Inactive(file)'])
  fields[FIELD.KReclaimable] = of(FIELD.SReclaimable)
  fields[FIELD.Slab] = of(FIELD.SReclaimable) + of(FIELD.SUnreclaim)
}

/** Names of both files are the same for what has happened. */
function countEvents(node: number, stat: NumaStat | undefined): EventCounts {
  const events = makeEventCounts()
  for (const name of MEMORY_EVENTS) {
    events[EVENT_CELLS[name]] = stat?.counts.get(name)?.get(node) ?? Number.NaN
  }
  return events
}
