/**
 * Lists of CPU numbers such as `0-3,8`: cpuset(7), "List format". The kernel writes them in cpusets and
 * in /sys/devices/system/cpu.
 */

import type { Bytes } from '../host/directory-file.ts'
import type { Group } from './group.ts'
import { memoizeText } from './memoize.ts'

export interface Cpuset {
  /** CPUs the container may run on, ascending; `undefined` when no cpuset says. */
  cpus(): number[] | undefined
  /** Nodes the container may allocate on, ascending; `undefined` when no cpuset says. */
  mems(): number[] | undefined
}

/** The files of a level, by what they list. Of each list the first file that names something counts. */
export interface CpusetFiles {
  cpus: readonly string[]
  mems: readonly string[]
}

/** The nearest level with a list that names a CPU, or a node, speaks for those below it. */
export class NearestCpuset implements Cpuset {
  readonly #group: Group
  readonly #files: CpusetFiles
  readonly #findCpus = memoizeText(findCpus)
  readonly #findMems = memoizeText(findCpus)

  constructor(group: Group, files: CpusetFiles) {
    this.#group = group
    this.#files = files
  }

  cpus(): number[] | undefined {
    return this.#nearest(this.#files.cpus, this.#findCpus)
  }

  mems(): number[] | undefined {
    return this.#nearest(this.#files.mems, this.#findMems)
  }

  #nearest(
    files: readonly string[],
    find: (bytes: Bytes | undefined) => number[] | undefined,
  ): number[] | undefined {
    for (const level of this.#group.levels()) {
      for (const file of files) {
        const numbers = find(level.bytes(file))
        if (numbers !== undefined) return numbers
      }
    }
    return undefined
  }
}

/**
 * The CPU numbers of a list, ascending and without repeats; none for an empty list. Throws SyntaxError for other text.
 */
export function parseCpuList(text: string): number[] {
  const cpus = scanCpuList(text)
  if (cpus === undefined) throw new SyntaxError(`Cannot parse CPU list "${text.slice(0, 80)}"`)
  return cpus
}

/** Parses like `parseCpuList`, but gives `undefined` for text that names no CPU, is no list, or is not there. */
export function findCpus(text: string | undefined): number[] | undefined {
  const cpus = text === undefined ? undefined : scanCpuList(text)
  return cpus?.length === 0 ? undefined : cpus
}

/** Text such as `0-3,8`, without a newline. */
export function renderCpuList(cpus: readonly number[]): string {
  let text = ''
  for (let at = 0; at < cpus.length; ) {
    const first = cpus[at] as number
    let last = first
    for (at++; cpus[at] === last + 1; at++) last++
    text += `${text === '' ? '' : ','}${first}${last === first ? '' : `-${last}`}`
  }
  return text
}

/**
 * Every CPU number is below this bound, which is above any CONFIG_NR_CPUS. It keeps a damaged range from filling the
 * memory.
 */
const CPU_NUMBER_END = 65_536

function scanCpuList(text: string): number[] | undefined {
  const cpus: number[] = []
  const list = text.trim()
  if (list === '') return cpus
  let ascending = true
  for (const part of list.split(',')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part)
    if (range === null) return undefined
    const first = Number(range[1])
    const last = Number(range[2] ?? range[1])
    if (first > last || last >= CPU_NUMBER_END) return undefined
    if (first <= (cpus.at(-1) ?? -1)) ascending = false
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu)
  }
  return ascending ? cpus : [...new Set(cpus)].sort((a, b) => a - b)
}
