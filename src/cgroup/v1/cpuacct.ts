/**
 * CPU time by cgroup v1: admin-guide/cgroup-v1/cpuacct.rst. The kernel got the files of this controller one after
 * another, so the one that says most is looked for first. All of them include the descendants.
 */

import type { Host } from '../../host/host.ts'
import type { CpuUsage, CpuUsageReader } from '../cpu.ts'
import { findCpus } from '../cpuset.ts'
import type { Group } from '../group.ts'
import { findCount, parseCount, parseNanoseconds } from '../numbers.ts'

type PerCpu = Map<number, { userUsec: number; systemUsec: number }>

export class CpuUsageV1 implements CpuUsageReader {
  readonly #group: Group
  readonly #host: Host | undefined

  /** `host` tells which CPUs the files without CPU numbers count; without it they are taken as 0, 1, 2, ... */
  constructor(group: Group, host?: Host) {
    this.#group = group
    this.#host = host
  }

  usage(): CpuUsage | undefined {
    const perCpu = parseUsageAll(this.#group.read('cpuacct.usage_all') ?? '') ?? this.#usagePerCpu()
    return perCpu === undefined ? this.#usageTotal() : { ...sum(perCpu), perCpu }
  }

  #usagePerCpu(): PerCpu | undefined {
    const user = parsePerCpu(this.#group.read('cpuacct.usage_percpu_user') ?? '')
    const system = parsePerCpu(this.#group.read('cpuacct.usage_percpu_sys') ?? '')
    if (user !== undefined && system !== undefined) {
      return this.#byCpu(user, (userUsec, k) => ({ userUsec, systemUsec: system[k] ?? 0 }))
    }
    const usage = parsePerCpu(this.#group.read('cpuacct.usage_percpu') ?? '')
    if (usage === undefined) return undefined
    const userShare = this.#userShare()
    return this.#byCpu(usage, usec => split(usec, userShare))
  }

  #usageTotal(): CpuUsage | undefined {
    const usec = parseNanoseconds(this.#group.read('cpuacct.usage'))
    if (usec === undefined) return undefined
    return { ...split(usec, this.#userShare()), niceUsec: 0, perCpu: undefined }
  }

  /** The part of the CPU time that was user time, by the ticks of `cpuacct.stat`. */
  #userShare(): number {
    const stat = this.#group.read('cpuacct.stat') ?? ''
    const userTicks = findCount(stat, 'user') ?? 0
    const systemTicks = findCount(stat, 'system') ?? 0
    // Time that no tick has seen is user time, as in cputime_adjust() of kernel/sched/cputime.c.
    return systemTicks === 0 ? 1 : userTicks / (userTicks + systemTicks)
  }

  /** The k-th number of these files is that of the k-th possible CPU. */
  #byCpu<T>(usec: readonly number[], make: (usec: number, k: number) => T): Map<number, T> {
    const possible = findCpus(this.#host?.tryRead('sys/devices/system/cpu/possible'))
    return new Map(usec.map((value, k) => [possible?.[k] ?? k, make(value, k)]))
  }
}

/** Parses a heading, then lines `CPU USER SYSTEM` in nanoseconds, one for each possible CPU. */
export function parseUsageAll(text: string): PerCpu | undefined {
  const perCpu: PerCpu = new Map()
  const lines = text.trim().split('\n')
  if (lines.shift()?.startsWith('cpu user system') !== true) return undefined
  for (const line of lines) {
    const [id, user, system] = line.split(' ')
    const cpu = parseCount(id)
    const userUsec = parseNanoseconds(user)
    const systemUsec = parseNanoseconds(system)
    if (cpu === undefined || userUsec === undefined || systemUsec === undefined) return undefined
    perCpu.set(cpu, { userUsec, systemUsec })
  }
  return perCpu.size === 0 ? undefined : perCpu
}

/** Parses nanoseconds with blanks between them and at the end, into microseconds. */
export function parsePerCpu(text: string): number[] | undefined {
  const usec: number[] = []
  if (text.trim() === '') return undefined
  for (const word of text.trim().split(/\s+/)) {
    const value = parseNanoseconds(word)
    if (value === undefined) return undefined
    usec.push(value)
  }
  return usec
}

/** Both parts are whole microseconds, so that they make up exactly the time that was split. */
function split(usec: number, userShare: number): { userUsec: number; systemUsec: number } {
  const userUsec = Math.round(usec * userShare)
  return { userUsec, systemUsec: usec - userUsec }
}

function sum(perCpu: PerCpu): { userUsec: number; niceUsec: number; systemUsec: number } {
  let userUsec = 0
  let systemUsec = 0
  for (const cpu of perCpu.values()) {
    userUsec += cpu.userUsec
    systemUsec += cpu.systemUsec
  }
  return { userUsec, niceUsec: 0, systemUsec }
}
