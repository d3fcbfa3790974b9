/** Limits that change every second, and what a container may show at any moment meanwhile. */

import type { Box } from '../../kit/box.ts'

interface Limits {
  memoryMib: number
  cpuset: string
  /** -1 is none. */
  quotaUsec: number
}

const PERIOD_USEC = 100_000

/** More or less of each in every step. All of them need two CPUs, and none needs more. */
const FIRST: Limits = { memoryMib: 512, cpuset: '0-1', quotaUsec: -1 }

export const STEPS: readonly Limits[] = [
  FIRST,
  { memoryMib: 448, cpuset: '1', quotaUsec: -1 },
  { memoryMib: 640, cpuset: '0-1', quotaUsec: 50_000 },
  { memoryMib: 512, cpuset: '0-1', quotaUsec: 150_000 },
  { memoryMib: 448, cpuset: '0', quotaUsec: 100_000 },
  { memoryMib: 768, cpuset: '0-1', quotaUsec: 200_000 },
  { memoryMib: 640, cpuset: '1', quotaUsec: 70_000 },
]

/** The steps follow each other in a circle. */
export const stepAt = (i: number): Limits => STEPS[i % STEPS.length] ?? FIRST

export const memoryKib = ({ memoryMib }: Limits) => memoryMib * 1024

export function cpuCount({ cpuset, quotaUsec }: Limits): number {
  const cpus = cpuset === '0-1' ? 2 : 1
  return quotaUsec < 0 ? cpus : Math.min(Math.ceil(quotaUsec / PERIOD_USEC), cpus)
}

interface Change {
  limits: Limits
  startMs: number
  endMs: number
}

/** Changes a container's limits and remembers when. */
export class Changes {
  readonly #box: Box
  readonly #all: Change[] = []

  constructor(box: Box) {
    this.#box = box
  }

  get count(): number {
    return this.#all.length
  }

  async to(limits: Limits): Promise<void> {
    const change = { limits, startMs: Date.now(), endMs: Number.POSITIVE_INFINITY }
    this.#all.push(change)
    await this.#box.update(
      ...['--memory', `${limits.memoryMib}M`, '--cpuset-cpus', limits.cpuset],
      ...['--cpu-period', String(PERIOD_USEC), '--cpu-quota', String(limits.quotaUsec)],
    )
    change.endMs = Date.now()
  }

  /** The limits between two moments, if they did not change there. */
  during(startMs: number, endMs: number): Limits | undefined {
    const last = this.#all.findLast(change => change.startMs <= endMs)
    return last !== undefined && last.endMs < startMs ? last.limits : undefined
  }
}
