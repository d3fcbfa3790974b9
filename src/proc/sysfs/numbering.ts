/** The numbers that the CPUs of a container go by in sysfs, and those that they have on the host. */

import type { VisibleCpus } from '../cpu/visible.ts'
import { shownCpus } from '../cpu-online.ts'
import type { SysView } from './directory.ts'

export interface Numbering {
  /** The numbers that are shown, ascending. */
  readonly shown: readonly number[]
  /** The host's number of a CPU by the one that is shown. */
  readonly hostByShown: ReadonlyMap<number, number>
  /** The number that is shown by the host's. */
  readonly shownByHost: ReadonlyMap<number, number>
  /** How many of the shown ones come before this one. */
  readonly placeOf: (shown: number) => number
}

export function numberingOf(view: SysView): Numbering {
  const cpus = view.cpus()
  const isReal = view.options.cpuNumbering === 'real'
  const known = isReal ? REAL : VIRTUAL
  const numbering = known.get(cpus) ?? makeNumbering(cpus, isReal)
  known.set(cpus, numbering)
  return numbering
}

/** A container's CPUs are the same object for as long as they do not change. */
const REAL = new WeakMap<VisibleCpus, Numbering>()
const VIRTUAL = new WeakMap<VisibleCpus, Numbering>()

function makeNumbering(cpus: VisibleCpus, isReal: boolean): Numbering {
  const shown = shownCpus(cpus, { cpuNumbering: isReal ? 'real' : 'virtual' })
  const hostByShown = new Map(shown.map((number, i) => [number, cpus.effective[i] ?? number]))
  const shownByHost = new Map(shown.map((number, i) => [cpus.effective[i] ?? number, number]))
  const places = new Map(shown.map((number, i) => [number, i]))
  return { shown, hostByShown, shownByHost, placeOf: number => places.get(number) ?? 0 }
}

/** Of the host's CPUs those that are visible, by the numbers that are shown, ascending. */
export function renumber(cpus: readonly number[], { shownByHost }: Numbering): number[] {
  return cpus
    .map(cpu => shownByHost.get(cpu))
    .filter(cpu => cpu !== undefined)
    .sort((a, b) => a - b)
}
