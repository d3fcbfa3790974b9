/** What happens to a container's CPU cgroups from one reading to the next. */

import fc from 'fast-check'
import type { Options } from '../../src/proc/options.ts'
import { type Container, filesOf, openOn } from './container.ts'
import { hostFiles, SMALL_HOST } from './hosts.ts'
import { EIO, type Files } from './memory-host.ts'
import { usageAll } from './tree-v1.ts'
import { cpuStat } from './tree-v2.ts'
import { HEALTHY_LEVEL, type Kind, type Tree } from './trees.ts'

export const CPUS = 6

/** One reading's world. */
export interface Step {
  afterUsec: number
  /** By the host's CPU, user and system in microseconds. */
  usage: readonly (readonly [number, number])[]
  /** What the usage does: counts on by `usage`, begins anew from it, or is not to be read. */
  how: 'more' | 'anew' | 'missing' | 'garbage' | 'error'
  quota: string
  cpuset: string
  online: string
}

const usec = fc.oneof(
  { weight: 3, arbitrary: fc.nat(3_000_000) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.nat(2 ** 31 - 1).map(n => n * 1000) },
)

/** From two reads of one program to years of suspend. */
const afterUsec = fc.oneof(
  { weight: 1, arbitrary: fc.nat(20_000) },
  { weight: 4, arbitrary: fc.nat(5_000_000) },
  { weight: 1, arbitrary: fc.nat(2 ** 31 - 1).map(n => n * 10_000) },
)

const QUOTAS = ['max 100000', '50000 100000', '150000 100000', '1000 1000000', '333333 100000']
const CPUSETS = ['0-5', '0', '1,3', '2-4', '7', '', 'x']
const ONLINE = ['0-5', '0-5', '0-5', '0,2-3', '1']

function stepOf(how: fc.Arbitrary<Step['how']>): fc.Arbitrary<Step> {
  return fc.record({
    afterUsec,
    usage: fc.array(fc.tuple(usec, usec), { minLength: 1, maxLength: 4 }),
    how,
    quota: fc.constantFrom(...QUOTAS),
    cpuset: fc.constantFrom(...CPUSETS),
    online: fc.constantFrom(...ONLINE),
  })
}

export const anyStep = stepOf(
  fc.constantFrom('more', 'more', 'more', 'anew', 'missing', 'garbage', 'error'),
)
export const goodStep = stepOf(fc.constantFrom('more', 'more', 'anew'))

export const anyKind: fc.Arbitrary<Kind> = fc.constantFrom('v1', 'v2', 'hybrid')

/** A tree whose only level is the container's own. */
const cpuTree = (kind: Kind): Tree => ({
  kind,
  levels: [{ ...HEALTHY_LEVEL, quota: undefined, cpuset: undefined }],
  threads: '',
})

/** Files at first, and the tree, by kind. */
const STARTS = new Map<Kind, { files: Files[]; tree: Tree }>()

export function openCpuContainer(kind: Kind, options: Partial<Options> = {}): Container {
  let start = STARTS.get(kind)
  if (start === undefined) {
    const tree = cpuTree(kind)
    start = { tree, files: filesOf(hostFiles({ ...SMALL_HOST, cpus: CPUS }), tree) }
    STARTS.set(kind, start)
  }
  return openOn(start.files, start.tree, options)
}

/** Writes the counters of a cgroup. */
export class Counters {
  readonly #kind: Kind
  #usage: (readonly [number, number])[] = []

  constructor(kind: Kind) {
    this.#kind = kind
  }

  files({ usage, how, quota, cpuset, online }: Omit<Step, 'afterUsec'>): Files {
    if (how === 'anew') this.#usage = [...usage]
    if (how === 'more') {
      const length = Math.max(usage.length, this.#usage.length)
      this.#usage = Array.from({ length }, (_, cpu) => {
        const [user, system] = this.#usage[cpu] ?? [0, 0]
        const [moreUser, moreSystem] = usage[cpu] ?? [0, 0]
        return [user + moreUser, system + moreSystem]
      })
    }
    return { ...this.#limits(quota, cpuset), ...this.#counts(how), [ONLINE_FILE]: `${online}\n` }
  }

  /** Microseconds of CPU time by class, as the files say it. */
  total(): { userUsec: number; niceUsec: number; systemUsec: number } {
    const user = this.#usage.reduce((sum, [user]) => sum + user, 0)
    const systemUsec = this.#usage.reduce((sum, [, system]) => sum + system, 0)
    const niceUsec = this.#kind === 'v2' ? Math.floor(user / 5) : 0
    return { userUsec: user - niceUsec, niceUsec, systemUsec }
  }

  #counts(how: Step['how']): Files {
    const [path, good]: [string, string] =
      this.#kind === 'v2'
        ? [`${UNIFIED}/cpu.stat`, cpuStat(this.#usage)]
        : [`${V1_CPU}/cpuacct.usage_all`, usageAll(this.#usage)]
    const bad = { missing: undefined, garbage: 'cpu user system\n0 x -1\n', error: EIO }
    const text = how === 'more' || how === 'anew' ? good : bad[how]
    const others = ['cpuacct.usage_percpu', 'cpuacct.stat', 'cpuacct.usage']
    const none: Record<string, undefined> = {}
    for (const name of others) none[`${V1_CPU}/${name}`] = undefined
    // What a hybrid host also counts in its unified hierarchy goes with it.
    const both = this.#kind === 'hybrid' ? { [`${HYBRID}/cpu.stat`]: undefined } : {}
    return { ...none, ...both, [path]: text }
  }

  #limits(quota: string, cpuset: string): Files {
    if (this.#kind === 'v2') {
      return {
        [`${UNIFIED}/cpu.max`]: `${quota}\n`,
        [`${UNIFIED}/cpuset.cpus.effective`]: `${cpuset}\n`,
      }
    }
    const [max = '', period = ''] = quota.split(' ')
    return {
      [`${V1_CPU}/cpu.cfs_quota_us`]: `${max === 'max' ? '-1' : max}\n`,
      [`${V1_CPU}/cpu.cfs_period_us`]: `${period}\n`,
      'sys/fs/cgroup/cpuset/ctr/cpuset.effective_cpus': `${cpuset}\n`,
    }
  }
}

const UNIFIED = 'sys/fs/cgroup/ctr'
const HYBRID = 'sys/fs/cgroup/unified/ctr'
const V1_CPU = 'sys/fs/cgroup/cpu,cpuacct/ctr'
const ONLINE_FILE = 'sys/devices/system/cpu/online'
