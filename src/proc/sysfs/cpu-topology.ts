/**
 * The files of cpuN/topology, drivers/base/topology.c of the kernel: where in the machine a CPU sits, and which others sit
 * there too. They agree with the lines of cpuinfo.
 */

import { findCpus, renderCpuList } from '../../cgroup/cpuset.ts'
import { topologyNumbers } from '../cpuinfo-topology.ts'
import { parseCpuMask, renderCpuMask } from './cpu-mask.ts'
import type { SysRender, SysView } from './directory.ts'
import { type Numbering, numberingOf, renumber } from './numbering.ts'

/** Which CPUs a file lists: those of one core, of one socket, or of what holds all sockets. */
type Scope = 'core' | 'socket' | 'machine'

/** By the name of the mask; the list is called the same with `_list`. A cluster is a core's own, and a die a socket's. */
const SCOPES: Readonly<Record<string, Scope>> = {
  thread_siblings: 'core',
  core_cpus: 'core',
  cluster_cpus: 'core',
  core_siblings: 'socket',
  package_cpus: 'socket',
  die_cpus: 'socket',
  book_siblings: 'machine',
  drawer_siblings: 'machine',
}

/** The line of cpuinfo that says the same. */
const LINES: Readonly<Record<string, string>> = {
  physical_package_id: 'physical id',
  core_id: 'core id',
  // A core is a cluster of its own.
  cluster_id: 'core id',
}

const ZEROS: ReadonlySet<string> = new Set(['die_id', 'book_id', 'drawer_id'])

/** What the kernel writes where there is no such thing as a cluster or a die: -1, and on x86 BAD_APICID. */
const UNKNOWN: ReadonlySet<string> = new Set(['-1', '65535', '4294967295'])

/** What the file `name` of the CPU that is shown as `cpu` says; `undefined` where it says what the host's says. */
export function findTopologyRender(name: string, cpu: number): SysRender | undefined {
  const line = LINES[name]
  if (line !== undefined || ZEROS.has(name)) {
    return (host, view) => renderId(host, view, line, cpu)
  }
  const isList = name.endsWith(LIST)
  const scope = SCOPES[isList ? name.slice(0, -LIST.length) : name]
  if (scope === undefined) return undefined
  return (host, view) => {
    const numbering = numberingOf(view)
    if (view.options.topology === 'host') return limitSet(host, numbering, isList)
    const cpus = inScope(scope, view, numbering, cpu)
    return `${isList ? renderCpuList(cpus) : renderCpuMask(cpus, host)}\n`
  }
}

const LIST = '_list'

function renderId(host: string, view: SysView, line: string | undefined, cpu: number): string {
  const { topology } = view.options
  if (topology === 'host' || UNKNOWN.has(host.trim())) return host
  const { shown, placeOf } = numberingOf(view)
  const numbers = topologyNumbers(topology, placeOf(cpu), shown.length)
  return `${line === undefined ? 0 : (numbers.get(line) ?? 0)}\n`
}

function inScope(
  scope: Scope,
  { options }: SysView,
  { shown }: Numbering,
  cpu: number,
): readonly number[] {
  const isAll = scope === 'machine' || (scope === 'socket' && options.topology === 'single-socket')
  return isAll ? shown : [cpu]
}

/** The visible ones of a list or a mask of the host, by the numbers that are shown; other text stays. */
export function limitSet(host: string, numbering: Numbering, isList: boolean): string {
  const cpus = isList ? findCpus(host) : parseCpuMask(host)
  if (cpus === undefined) return host
  const seen = renumber(cpus, numbering)
  return `${isList ? renderCpuList(seen) : renderCpuMask(seen, host)}\n`
}
