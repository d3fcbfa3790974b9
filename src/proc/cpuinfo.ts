/**
 * /proc/cpuinfo, proc_cpuinfo(5). Each architecture's kernel writes what it likes, but nearly all write one
 * record a CPU, which begins with `processor`: a container sees those of its CPUs, numbered from 0.
 */

import { memoize } from '../cgroup/memoize.ts'
import type { VisibleCpus } from './cpu/visible.ts'
import { limitCpuinfoS390 } from './cpuinfo-s390.ts'
import { setNumbers, topologyNumbers } from './cpuinfo-topology.ts'
import type { Options } from './options.ts'
import type { View } from './view.ts'

export function renderCpuinfo(view: View): Buffer {
  const cpus = view.cpus()
  const texts = textsFrom(view.hostFile('proc/cpuinfo', findOnline(view)))
  const { topology } = view.options
  const known = texts.byCpus.get(cpus)
  if (known?.topology === topology) return known.text
  const text = findText(texts, cpus, topology)
  if (text.isKept) texts.byCpus.set(cpus, { topology, text: text.bytes })
  return text.bytes
}

/** The text changes when this does; `undefined` on a host without sysfs. */
function findOnline(view: View): string | undefined {
  try {
    return view.hostFile('sys/devices/system/cpu/online')
  } catch {
    return undefined
  }
}

/**
 * Keeps what containers see of a text of the host, which changes only with the CPUs and their clock. On a large host
 * the text is long, and nearly all containers there see the same of it.
 */
const textsFrom = memoize(
  (host: string): Texts => ({ host, bySeen: new Map(), byCpus: new WeakMap() }),
)

interface Texts {
  host: string
  /** By what a container sees: containers that see the same share a text. */
  bySeen: Map<string, Buffer>
  /** By the CPUs of a container, which are the same object for as long as they do not change. */
  byCpus: WeakMap<VisibleCpus, { topology: Options['topology']; text: Buffer }>
}

const MOST_LIMITED = 64

/** Returns the text, and whether it is one of those that are kept. */
function findText(
  { host, bySeen }: Texts,
  cpus: VisibleCpus,
  topology: Options['topology'],
): { bytes: Buffer; isKept: boolean } {
  const seen = `${topology} ${cpus.count} ${cpus.effective}`
  const known = bySeen.get(seen)
  if (known !== undefined) return { bytes: known, isKept: true }
  const bytes = Buffer.from(limitCpuinfo(host, cpus, { topology }))
  const isKept = bySeen.size < MOST_LIMITED
  if (isKept) bySeen.set(seen, bytes)
  return { bytes, isKept }
}

interface Cpuinfo {
  /** The lines before the records, in which loongarch64 names the system. */
  header: string
  /** Text of a CPU's record by the host's number of it, with the blank line after it. */
  records: ReadonlyMap<number, string>
  /** The lines after the records, in which 32-bit arm and ppc64le name the machine. */
  trailer: string
}

export function parseCpuinfo(text: string): Cpuinfo {
  const records = new Map<number, string>()
  let header = ''
  let trailer = ''
  let start = 0
  let part: number | 'header' | 'trailer' = 'header'
  const endPart = (at: number) => {
    const partText = text.slice(start, at)
    start = at
    if (part === 'header') header = partText
    else if (part === 'trailer') trailer += partText
    else records.set(part, partText)
  }
  let blank = false
  for (let at = 0, end = 0; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    const processor = text.startsWith('processor', at) ? PROCESSOR.exec(text.slice(at, end)) : null
    if (processor !== null) {
      endPart(at)
      part = Number(processor[1])
    } else if (blank && end > at && typeof part === 'number') {
      endPart(at)
      part = 'trailer'
    }
    blank = end === at
  }
  endPart(text.length)
  return { header, records, trailer }
}

/** The host's text is parsed once for all containers. */
const parseHost = memoize(parseCpuinfo)

/** NR_CPUS has four digits at most. */
const PROCESSOR = /^processor\s*:\s*(\d{1,6})(?!\d)/

/**
 * The records of the visible CPUs. A CPU that the host has taken offline meanwhile is left out, and the container's
 * next one takes its place.
 */
export function limitCpuinfo(
  text: string,
  cpus: VisibleCpus,
  options: Pick<Options, 'topology'>,
): string {
  const { header, records, trailer } = parseHost(text)
  if (records.size === 0) return limitCpuinfoS390(text, cpus, options)
  const shown = cpus.effective.filter(cpu => records.has(cpu)).slice(0, cpus.count)
  if (shown.length === 0) return text
  let limited = header
  shown.forEach((cpu, i) => {
    const numbers = topologyNumbers(options.topology, i, shown.length)
    limited += setNumbers(records.get(cpu) ?? '', numbers.set('processor', i))
  })
  return limited + trailer
}
