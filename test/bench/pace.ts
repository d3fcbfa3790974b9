/**
 * One container that reads one file at a pace, as monitors do: beside the kernel's own procfs, both floors and lxcfs. Then
 * the first reads of a service that was just started.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FILE_PATHS } from '../../src/proc/paths.ts'
import { startDaemon, startLxcfs } from '../kit/lxcfs.ts'
import { firstReads } from './first-reads.ts'
import { cpuUsec, untilRest } from './process.ts'
import type { Effort } from './reading.ts'
import { figure, type Report } from './report.ts'
import type { Setup } from './setup.ts'
import type { SmallContainers } from './small-containers.ts'
import { quantile } from './statistics.ts'

/** How long each pace is kept, by reads a second. */
const MILLISECONDS = new Map([
  [1, 4000],
  [10, 2000],
  [100, 1000],
  [1000, 500],
])
const MILLISECONDS_QUICK = new Map([
  [10, 1000],
  [100, 500],
])
const FILES_QUICK = ['proc/meminfo', 'proc/stat', 'proc/uptime', 'proc/cpuinfo'] as const
const WARM_UP_MS = 2000

interface Rival {
  name: 'native' | 'floor' | 'constant' | 'lxcfs' | 'procveil'
  pids: readonly number[]
  /** Where the container has the file. */
  find(file: string): string
}

export interface Paced {
  p50Usec: number
  /** Of all processes that serve, for a read. */
  cpuUsec: number
}

export async function pace(setup: Setup, report: Report, effort: Effort): Promise<void> {
  await setup.startService()
  const paces = effort.isQuick ? MILLISECONDS_QUICK : MILLISECONDS
  const files = (effort.isQuick ? FILES_QUICK : FILE_PATHS).filter(file => existsSync(`/${file}`))
  const { containers, rivals } = await prepare(setup, files)
  const rows = [HEAD]
  const warm = new Map<string, Paced>()
  for (const file of files) {
    const present = rivals.filter(({ find }) => existsSync(find(file)))
    for (const { find } of present) await containers.read(1000, WARM_UP_MS, [find(file)])
    for (const [perSecond, milliseconds] of paces) {
      const results = new Map<Rival['name'], Paced>()
      for (const { name, pids, find } of present) {
        if (perSecond === 10) await untilRest(pids)
        const paced = await readPaced(containers, pids, perSecond, milliseconds, find(file))
        results.set(name, paced)
        report.add({ part: 'pace', target: name, file, perSecond, ...paced })
      }
      const ours = results.get('procveil')
      if (perSecond === 10 && ours !== undefined) warm.set(file, ours)
      rows.push([String(perSecond), file, ...row(results)])
    }
  }
  report.table('One container, so many reads a second of one file, microseconds', rows)
  await firstReads(setup, report, warm)
}

/** Starts all that is compared, and one container that sees it. */
async function prepare(setup: Setup, files: readonly string[]) {
  const { directory } = setup.site
  const lxcfs = join(directory, 'lxcfs')
  const { pid } = await startLxcfs(setup.cleanups, lxcfs)
  const first = setup.startContainers()
  await first.grow(1)
  const texts = join(directory, 'texts')
  mkdirSync(texts)
  for (const file of files) {
    writeFileSync(join(texts, flat(file)), readFileSync(setup.source(first, 0, file)))
  }
  const paths = files.map(file => join(texts, flat(file)))
  const rivals: Rival[] = [{ name: 'native', pids: [], find: file => `/${file}` }]
  for (const name of ['floor', 'constant'] as const) {
    const mountPoint = join(directory, name)
    mkdirSync(mountPoint)
    const served = join(mountPoint, flat(files[0] ?? ''))
    const program = setup.programs[name]
    const daemon = await startDaemon(setup.cleanups, program, [mountPoint, ...paths], served)
    setup.unmountAfterwards(mountPoint)
    rivals.push({ name, pids: [daemon.pid], find: file => join(mountPoint, flat(file)) })
  }
  rivals.push({ name: 'lxcfs', pids: [pid], find: file => join(lxcfs, file) })
  // One that was made before the floors does not see them.
  const containers = setup.startContainers()
  await containers.grow(1)
  const bound = new Map<string, string>()
  for (const rival of rivals.slice(1)) {
    for (const file of files) {
      const source = rival.find(file)
      if (!existsSync(source)) continue
      bound.set(source, await setup.bind(containers, 0, source, `${rival.name}/${flat(file)}`))
    }
    const { find } = rival
    rival.find = file => bound.get(find(file)) ?? '/nowhere'
  }
  const ours = new Map<string, string>()
  for (const file of files) {
    const source = setup.source(containers, '%', file)
    ours.set(file, await setup.bind(containers, 0, source, `procveil/${flat(file)}`))
  }
  const find = (file: string) => ours.get(file) ?? '/nowhere'
  rivals.push({ name: 'procveil', pids: setup.pids(), find })
  return { containers, rivals }
}

export async function readPaced(
  containers: SmallContainers,
  pids: readonly number[],
  perSecond: number,
  milliseconds: number,
  path: string,
): Promise<Paced & { slowestUsec: number }> {
  const before = pids.map(cpuUsec)
  const { latenciesUsec, failed } = await containers.read(perSecond, milliseconds, [path])
  if (failed > 0) throw new Error(`Cannot measure ${path}: ${failed} reads failed`)
  const used = pids.reduce((sum, pid, i) => sum + cpuUsec(pid) - (before[i] ?? 0), 0)
  return {
    p50Usec: quantile(latenciesUsec, 0.5),
    cpuUsec: used / latenciesUsec.length,
    slowestUsec: latenciesUsec.at(-1) ?? Number.NaN,
  }
}

/** The name of a file where all lie in one folder. */
const flat = (file: string) => file.replaceAll('/', '-')

const HEAD = [
  'a second',
  'file',
  'native p50',
  'floor p50',
  'constant p50',
  'lxcfs p50',
  'procveil p50',
  'p50 / lxcfs',
  'p50 / constant',
  'floor CPU',
  'constant CPU',
  'lxcfs CPU',
  'procveil CPU',
  'CPU / lxcfs',
  'CPU / constant',
]

function row(results: ReadonlyMap<Rival['name'], Paced>): string[] {
  const of = (name: Rival['name'], field: keyof Paced) => results.get(name)?.[field] ?? Number.NaN
  const ratio = (name: Rival['name'], field: keyof Paced) => of('procveil', field) / of(name, field)
  return [
    ...(['native', 'floor', 'constant', 'lxcfs', 'procveil'] as const).map(name =>
      of(name, 'p50Usec'),
    ),
    ratio('lxcfs', 'p50Usec'),
    ratio('constant', 'p50Usec'),
    ...(['floor', 'constant', 'lxcfs', 'procveil'] as const).map(name => of(name, 'cpuUsec')),
    ratio('lxcfs', 'cpuUsec'),
    ratio('constant', 'cpuUsec'),
  ].map(figure)
}
