/** Cgroup trees of either version and of both at once, from the same numbers at each level. */

import fc from 'fast-check'
import { type Hierarchies, parseCgroupPaths, parseHierarchies } from '../../src/cgroup/hierarchy.ts'
import type { Files } from './memory-host.ts'
import { v1Files } from './tree-v1.ts'
import { v2Files } from './tree-v2.ts'

/** `hybrid` has a unified hierarchy without controllers, `mixed` has some controllers in either. */
export const KINDS = ['v1', 'v2', 'hybrid', 'mixed'] as const
export type Kind = (typeof KINDS)[number]

/** What one cgroup's files say, as text; `undefined` where it has no such file. */
export interface Level {
  memoryLimit: string | undefined
  /** Only the unified hierarchy has this. */
  memoryHigh: string | undefined
  memoryUsage: string | undefined
  swapLimit: string | undefined
  swapUsage: string | undefined
  /** Values of memory.stat, over and over. */
  memoryStat: readonly string[]
  quota: string | undefined
  period: string
  cpuset: string | undefined
  /** CPU time in microseconds by the host's CPU, user and system. */
  cpuUsage: readonly (readonly [number, number])[]
  hugeLimit: string | undefined
  hugeUsage: string
  ioCount: string
}

export interface Tree {
  kind: Kind
  /** The container's own cgroup first, its ancestors after it. */
  levels: readonly Level[]
  /** A letter for the state of each of its threads. */
  threads: string
}

const bytes = fc.oneof(
  fc.nat(2 ** 30).map(String),
  fc.bigInt(0n, 2n ** 46n).map(String),
  fc.constantFrom('0', '1', '1023', '1024', '4095', '4096', '9007199254740991'),
)

const anyBytes = fc.oneof(
  { weight: 6, arbitrary: bytes },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'max',
      '9007199254740992',
      '9223372036854771712',
      '18446744073709551615',
      '99999999999999999999',
      '-1',
      '',
    ),
  },
)

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 6 })

const cpuTime = fc.oneof(fc.nat(10_000_000), fc.nat(2 ** 31 - 1), fc.constant(0))

export const quota = fc.constantFrom(
  '-1',
  'max',
  '50000',
  '100000',
  '150000',
  '200001',
  '1000',
  '999999',
)

const cpuset = fc.constantFrom('0', '0-3', '1-2,5', '2,4-7', '0-511', '', '600')

export const anyLevel: fc.Arbitrary<Level> = fc.record({
  memoryLimit: maybe(anyBytes),
  memoryHigh: maybe(anyBytes),
  memoryUsage: maybe(anyBytes),
  swapLimit: maybe(anyBytes),
  swapUsage: maybe(anyBytes),
  memoryStat: fc.array(anyBytes, { minLength: 1, maxLength: 7 }),
  quota: maybe(quota),
  period: fc.constantFrom('100000', '100000', '1000000', '1000'),
  cpuset: maybe(cpuset),
  cpuUsage: fc.array(fc.tuple(cpuTime, cpuTime), { minLength: 1, maxLength: 4 }),
  hugeLimit: maybe(anyBytes),
  hugeUsage: anyBytes,
  ioCount: bytes,
})

export const anyTree: fc.Arbitrary<Tree> = fc.record({
  kind: fc.constantFrom(...KINDS),
  levels: fc.array(anyLevel, { minLength: 1, maxLength: 3 }),
  threads: fc.string({ unit: fc.constantFrom('R', 'S', 'D', 'I', 'Z'), maxLength: 4 }),
})

/** A container as a runtime makes one: its own cgroup counts and limits, its parent does too. */
export const HEALTHY_LEVEL: Level = {
  memoryLimit: '1073741824',
  memoryHigh: 'max',
  memoryUsage: '536870912',
  swapLimit: '268435456',
  swapUsage: '134217728',
  memoryStat: ['10485760', '20971520', '5242880', '1048576', '73728'],
  quota: '150000',
  period: '100000',
  cpuset: '0-2',
  cpuUsage: [
    [1_000_000, 500_000],
    [2_000_000, 300_000],
  ],
  hugeLimit: '8388608',
  hugeUsage: '2097152',
  ioCount: '4096',
}

const V1 = ['memory', 'cpu,cpuacct', 'cpuset', 'blkio', 'pids', 'hugetlb', 'freezer']
const CONTROLLERS: Readonly<Record<Kind, { v1: readonly string[]; v2: string | undefined }>> = {
  v1: { v1: V1, v2: undefined },
  v2: { v1: [], v2: 'cpuset cpu io memory hugetlb pids' },
  hybrid: { v1: V1, v2: '' },
  mixed: { v1: ['cpu,cpuacct', 'cpuset', 'pids', 'freezer'], v2: 'io memory hugetlb' },
}

/** Where the unified hierarchy is mounted. */
const unifiedMount = (kind: Kind) => (kind === 'v2' ? 'sys/fs/cgroup' : 'sys/fs/cgroup/unified')

const HIERARCHIES = Object.fromEntries(
  KINDS.map(kind => [kind, parseHierarchies(mountinfoOf(kind), () => CONTROLLERS[kind].v2 ?? '')]),
) as Record<Kind, Hierarchies>

export const hierarchiesOf = (kind: Kind): Hierarchies => HIERARCHIES[kind]

function mountinfoOf(kind: Kind): string {
  const { v1, v2 } = CONTROLLERS[kind]
  const mounts = v1.map(
    (name, i) =>
      `${i + 30} 25 0:${i + 26} / /sys/fs/cgroup/${name} rw - cgroup cgroup rw,${name}\n`,
  )
  if (v2 !== undefined) mounts.push(`50 25 0:50 / /${unifiedMount(kind)} rw - cgroup2 cgroup2 rw\n`)
  return mounts.join('')
}

const PATHS = ['/ctr', '/pod/ctr', '/kubepods.slice/pod/ctr']

/** Text of the init's /proc/PID/cgroup. */
export function cgroupText({ kind, levels }: Pick<Tree, 'kind' | 'levels'>): string {
  const path = PATHS[levels.length - 1] ?? '/ctr'
  const { v1, v2 } = CONTROLLERS[kind]
  const lines = v1.map((name, i) => `${i + 2}:${name}:${path}\n`)
  return lines.join('') + (v2 === undefined ? '' : `0::${path}\n`)
}

export const cgroupPaths = (tree: Pick<Tree, 'kind' | 'levels'>) =>
  parseCgroupPaths(cgroupText(tree))

export function treeFiles(tree: Tree): Files {
  const files: Record<string, string | undefined> = {}
  const { v1, v2 } = CONTROLLERS[tree.kind]
  let path = PATHS[tree.levels.length - 1] ?? '/ctr'
  tree.levels.forEach((level, i) => {
    for (const controller of v1) {
      place(files, `sys/fs/cgroup/${controller}${path}`, v1Files(controller, level))
    }
    if (v2 !== undefined) {
      place(files, unifiedMount(tree.kind) + path, v2Files(v2.split(' '), level))
    }
    if (i === 0) Object.assign(files, threadFiles(tree, path))
    path = path.slice(0, path.lastIndexOf('/'))
  })
  return files
}

export const FIRST_TID = 5000

function threadFiles({ kind, threads }: Tree, path: string): Record<string, string> {
  const tids = Array.from(threads, (_, i) => FIRST_TID + i)
  const list = tids.map(tid => `${tid}\n`).join('')
  const files: Record<string, string> = {}
  tids.forEach((tid, i) => {
    files[`proc/${tid}/stat`] = `${tid} (x) ${threads[i]} 1 2\n`
    files[`proc/${tid}/status`] = `Name:\tx\nNSpid:\t${tid}\t${i + 7}\n`
  })
  if (kind === 'v2') files[`sys/fs/cgroup${path}/cgroup.threads`] = list
  else files[`sys/fs/cgroup/pids${path}/tasks`] = list
  return files
}

function place(files: Texts, directory: string, own: Readonly<Texts>): void {
  for (const name in own) files[`${directory}/${name}`] = own[name]
}

type Texts = Record<string, string | undefined>
