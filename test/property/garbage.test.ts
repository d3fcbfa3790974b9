/** A cgroup file that is damaged spoils what it alone tells, and nothing else. */

import fc from 'fast-check'
import t from 'tap'
import { checkCpuCounts, checkFile } from '../consumers/files.ts'
import { type Container, filesOf, openOn, renderAll } from './container.ts'
import { anyDamage } from './garbage.ts'
import { hostFiles, SMALL_HOST } from './hosts.ts'
import { EIO } from './memory-host.ts'
import { ensure, holds } from './runs.ts'
import { HEALTHY_LEVEL, KINDS, type Kind, type Tree, treeFiles } from './trees.ts'

/** What a change in a file may change: a file, and the lines of it. */
type Part = readonly [file: RegExp, lines: RegExp]

const ALL = /^/
const CPU_LINES: Part = [/^proc\/stat$/, /^cpu/]
const IDLE: Part = [/^proc\/uptime$/, ALL]
const TASKS: readonly Part[] = [
  [/^proc\/stat$/, /^procs_/],
  [/^proc\/loadavg$/, ALL],
]
const CPU_COUNT: readonly Part[] = [
  CPU_LINES,
  IDLE,
  [/^proc\/cpuinfo$/, ALL],
  [/^sys\/devices\/system\/cpu\/(online|offline|present)$/, ALL],
]
const SWAP: readonly Part[] = [
  [/^proc\/swaps$/, ALL],
  [/^proc\/meminfo$/, /^(Swap(Total|Free|Cached)|CommitLimit|Committed_AS):/],
  [/^proc\/vmstat$/, /^nr_(swapcached|file_pages) /],
]

/** By a cgroup file's name, the first that fits. */
const DEPENDENTS: readonly (readonly [RegExp, readonly Part[]])[] = [
  [/^memory\.(swap|memsw)\./, SWAP],
  [/^memory\.swappiness$/, SWAP],
  [/^memory\.kmem\.slabinfo$/, [[/^proc\/slabinfo$/, ALL]]],
  [
    /^memory\.kmem\.usage/,
    [
      [/^proc\/meminfo$/, /^(Slab|SUnreclaim):/],
      [/^proc\/vmstat$/, /^nr_slab_unreclaimable /],
    ],
  ],
  [/^memory\.(events|oom_control)$/, [[/^proc\/vmstat$/, /^oom_kill /]]],
  [/^memory\.pressure$/, [[/^proc\/pressure\/memory$/, ALL]]],
  [/^memory\./, [[/^proc\/(meminfo|swaps|slabinfo|vmstat)$/, ALL]]],
  [/^hugetlb\./, [[/^proc\/meminfo$/, /^Huge(Pages_|tlb)/]]],
  [/^cpu\.pressure$/, [[/^proc\/pressure\/cpu$/, ALL]]],
  [/^io\.pressure$/, [[/^proc\/pressure\/io$/, ALL]]],
  [/^irq\.pressure$/, [[/^proc\/pressure\/irq$/, ALL]]],
  [/^(cpu\.(max|cfs)|cpuset\.)/, CPU_COUNT],
  [/^(cpu\.stat|cpuacct\.)/, [CPU_LINES, IDLE]],
  [
    /^(io\.stat|blkio\.)/,
    [
      [/^proc\/diskstats$/, ALL],
      [/^proc\/vmstat$/, /^pgpg(in|out) /],
    ],
  ],
  [/^(cgroup\.(threads|events)|tasks|freezer\.state)$/, TASKS],
  [/^(stat|status)$/, TASKS],
]

function partsOf(path: string): readonly Part[] {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const parts = DEPENDENTS.find(([file]) => file.test(name))?.[1]
  if (parts === undefined) throw new Error(`Cannot tell what depends on ${path}`)
  return parts
}

const HOST = hostFiles(SMALL_HOST)

const LEVELS = [
  { ...HEALTHY_LEVEL, hugeLimit: '8388608' },
  { ...HEALTHY_LEVEL, memoryLimit: '4294967296', swapLimit: '8589934592', quota: '300000' },
]

/** A container that has been there for a while. */
function openWorld(kind: Kind): Container {
  const container = openOn(STARTS[kind], TREES[kind])
  container.host.clock.usec += 500e6
  return container
}

const byKind = <T>(make: (kind: Kind) => T) =>
  Object.fromEntries(KINDS.map(kind => [kind, make(kind)])) as Record<Kind, T>

const TREES = byKind((kind): Tree => ({ kind, levels: LEVELS, threads: 'RSD' }))
const STARTS = byKind(kind => filesOf(HOST, TREES[kind]))

const BEFORE = new Map(KINDS.map(kind => [kind, renderAll(openWorld(kind))]))

const places = KINDS.flatMap(kind =>
  Object.keys(treeFiles(TREES[kind])).map(path => ({ kind, path })),
)

t.test('one damaged file', async t => {
  const values = fc.record({ place: fc.constantFrom(...places), damage: anyDamage })
  holds(t, values, ({ place: { kind, path }, damage }) => {
    const before = BEFORE.get(kind)
    const container = openWorld(kind)
    container.host.set({ [path]: damage(container.host.tryRead(path) ?? '') })
    const texts = renderAll(container)
    const parts = partsOf(path)
    for (const [file, text] of texts) {
      const was = before?.get(file)
      ensure(isElsewhereTheSame(file, parts, was, text), () => `${file} was:\n${was}\nis:\n${text}`)
      checkFile(file, text)
    }
    checkCpuCounts(texts)
  })
})

function isElsewhereTheSame(
  file: string,
  parts: readonly Part[],
  before: string | undefined,
  after: string,
): boolean {
  if (before === after) return true
  const changing = parts.filter(([name]) => name.test(file)).map(([, lines]) => lines)
  if (changing.includes(ALL)) return true
  const others = (text: string | undefined) =>
    text?.split('\n').filter(line => !changing.some(lines => lines.test(line)))
  return others(before)?.join('\n') === others(after)?.join('\n')
}

t.test("without any of a controller's files its part is the host's", async t => {
  const expected: Readonly<Record<string, readonly string[]>> = {
    'memory.': ['proc/meminfo', 'proc/swaps', 'proc/slabinfo', 'proc/vmstat'],
    '.pressure': ['cpu', 'io', 'irq', 'memory'].map(name => `proc/pressure/${name}`),
    tasks: ['proc/loadavg'],
    'cgroup.threads': ['proc/loadavg'],
  }
  for (const kind of KINDS) {
    for (const [part, files] of Object.entries(expected)) {
      const gone = places.filter(place => place.kind === kind && place.path.includes(part))
      if (gone.length === 0) continue
      for (const damage of [undefined, EIO] as const) {
        const container = openWorld(kind)
        for (const { path } of gone) container.host.set({ [path]: damage })
        const texts = renderAll(container)
        for (const file of files) t.equal(texts.get(file), HOST[file], `${file} on ${kind}`)
      }
    }
  }
})
