/**
 * memory.numa_stat: cgroup-v2.rst, cgroup-v1/memory.rst. Lines `anon N0=4096 N1=0` of v2 count bytes, and
 * `hierarchical_anon=1 N0=1 N1=0` of v1 pages.
 */

import type { Group } from './group.ts'
import { parseCount } from './numbers.ts'

export interface NumaStat {
  readonly unit: 'bytes' | 'pages'
  /** Counts by node, of each name as v2 has it. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<number, number>>
}

/** `undefined` where the kernel has no such file: it needs CONFIG_NUMA. */
export function readNumaStat(group: Group): NumaStat | undefined {
  const text = group.read('memory.numa_stat')
  return text === undefined ? undefined : parseNumaStat(text, group.version)
}

export function parseNumaStat(text: string, version: 1 | 2): NumaStat {
  const counts = new Map<string, ReadonlyMap<number, number>>()
  for (const line of text.split('\n')) {
    const [first = '', ...words] = line.split(' ')
    // Lines of v1 without this are of the cgroup alone.
    const name = version === 2 ? first : /^hierarchical_(\w+)=/.exec(first)?.[1]
    if (name !== undefined && name !== '') counts.set(name, parseNodes(words))
  }
  return { unit: version === 1 ? 'pages' : 'bytes', counts }
}

function parseNodes(words: readonly string[]): ReadonlyMap<number, number> {
  const nodes = new Map<number, number>()
  for (const word of words) {
    const [, node, digits] = /^N(\d{1,5})=(\d+)$/.exec(word) ?? []
    const count = parseCount(digits)
    if (count !== undefined && Number.isSafeInteger(count)) nodes.set(Number(node), count)
  }
  return nodes
}
