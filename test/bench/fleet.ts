/**
 * Many containers, each of which reads four files of its own once a second, evenly spread: what a read takes, what it
 * costs the server, and how both grow with the number of containers.
 */

import { join } from 'node:path'
import { startLxcfs } from '../kit/lxcfs.ts'
import { retry } from '../kit/requirements.ts'
import { anonymousMiB, cpuUsec, untilRest } from './process.ts'
import type { Programs } from './programs.ts'
import type { Effort } from './reading.ts'
import { figure, type Report } from './report.ts'
import type { Setup } from './setup.ts'
import type { SmallContainers } from './small-containers.ts'
import { quantile } from './statistics.ts'

const SIZES = [10, 100, 300, 1000, 3000]
const SIZES_QUICK = [10, 100, 300]
const MILLISECONDS = 10_000
const MILLISECONDS_QUICK = 4000
/** Code is compiled after some hundred calls, which few containers make slowly. */
const WARM_UP_MS = 20_000
const WARM_UP_MS_QUICK = 8000

const FILES = ['meminfo', 'stat', 'cpuinfo', 'uptime']

interface Rival {
  name: 'procveil' | 'lxcfs'
  /** Where a container finds the files. */
  files: readonly string[]
  /** The last of them answers. */
  pids(): readonly number[]
  countServers(): number
}

interface Result {
  p50Usec: number
  p90Usec: number
  p99Usec: number
  /** Less than 1 where reads took too long for all of them to be made. */
  made: number
  errors: number
  /** Of all processes that serve, for a read; NaN when one of them was replaced. */
  cpuUsec: number
  cpuPercent: number
  anonymousMiB: number
  replaced: number
}

type Sizes = ReadonlyMap<number, Readonly<Record<Rival['name'], Result>>>

interface FleetEffort extends Pick<Effort, 'isQuick'> {
  mostContainers?: number
  /** How many reads are made at least before they count. */
  warmUpReads?: number
}

export async function fleet(
  setup: Setup<Pick<Programs, 'fleet'>>,
  report: Report,
  effort: FleetEffort,
): Promise<void> {
  const { isQuick, mostContainers = Number.POSITIVE_INFINITY } = effort
  const lxcfs = join(setup.site.directory, 'lxcfs')
  const { pid } = await startLxcfs(setup.cleanups, lxcfs)
  await setup.startService()
  const restSeconds = await untilRest(setup.pids())
  report.add({ part: 'fleet', restSeconds })
  const containers = setup.startContainers()
  const procveil: Rival = {
    name: 'procveil',
    files: [],
    pids: () => setup.pids(),
    countServers: () => setup.countServers(),
  }
  const other: Rival = { name: 'lxcfs', files: [], pids: () => [pid], countServers: () => 1 }
  const results = new Map<number, Record<Rival['name'], Result>>()
  const sizes = (isQuick ? SIZES_QUICK : SIZES).filter(size => size <= mostContainers)
  for (const size of sizes) {
    const first = containers.count
    await containers.grow(size)
    const bind = (source: string, name: Rival['name'], file: string) =>
      setup.bind(containers, first, source, `${name}/${file}`)
    procveil.files = await inTurn(FILES, file =>
      bind(setup.source(containers, '%', `proc/${file}`), 'procveil', file),
    )
    other.files = await inTurn(FILES, file => bind(join(lxcfs, 'proc', file), 'lxcfs', file))
    results.set(size, {
      procveil: await measure(containers, procveil, effort),
      lxcfs: await measure(containers, other, effort),
    })
    for (const [target, result] of Object.entries(results.get(size) ?? {})) {
      report.add({ part: 'fleet', target, containers: size, ...result })
    }
  }
  const rest = `the service was at rest ${figure(restSeconds)} s after its start`
  report.table(`N containers, each reads ${FILES.join(', ')} once a second; ${rest}`, rows(results))
  report.table('The same as ratios', ratios(results))
}

async function inTurn<T, U>(values: readonly T[], action: (value: T) => Promise<U>): Promise<U[]> {
  const results: U[] = []
  for (const value of values) results.push(await action(value))
  return results
}

async function measure(
  containers: SmallContainers,
  rival: Rival,
  { isQuick, warmUpReads = 0 }: FleetEffort,
): Promise<Result> {
  const milliseconds = isQuick ? MILLISECONDS_QUICK : MILLISECONDS
  const servers = await retry(() => rival.countServers())
  const warmUpMs = isQuick ? WARM_UP_MS_QUICK : WARM_UP_MS
  const passes = warmUpReads / rival.files.length / containers.count
  await containers.read(Math.max(1, (passes / warmUpMs) * 1000), warmUpMs, rival.files)
  const before = await retry(() => rival.pids())
  await untilRest(before)
  const usedBefore = before.map(cpuUsec)
  const { latenciesUsec, elapsedUsec, failed, wrong } = await containers.read(
    1,
    milliseconds,
    rival.files,
  )
  const after = await retry(() => rival.pids())
  const isSame = after.every((pid, i) => pid === before[i])
  const used = isSame
    ? after.reduce((sum, pid, i) => sum + cpuUsec(pid) - (usedBefore[i] ?? 0), 0)
    : Number.NaN
  const wanted = (containers.count * rival.files.length * milliseconds) / 1000
  return {
    p50Usec: quantile(latenciesUsec, 0.5),
    p90Usec: quantile(latenciesUsec, 0.9),
    p99Usec: quantile(latenciesUsec, 0.99),
    made: latenciesUsec.length / wanted,
    errors: failed + wrong,
    cpuUsec: used / latenciesUsec.length,
    cpuPercent: (used / elapsedUsec) * 100,
    anonymousMiB: anonymousMiB(after.at(-1) ?? 0),
    replaced: (await retry(() => rival.countServers())) - servers,
  }
}

function rows(sizes: Sizes): string[][] {
  const rows = [
    [
      'N',
      'server',
      'p50',
      'p90',
      'p99, us',
      'reads made, %',
      'errors',
      'CPU a read, us',
      'CPU, % of a core',
      'anon MiB',
      'servers replaced',
    ],
  ]
  for (const [size, results] of sizes) {
    for (const [name, result] of Object.entries(results)) {
      const { p50Usec, p90Usec, p99Usec, made, errors, replaced } = result
      rows.push([
        String(size),
        name,
        ...[p50Usec, p90Usec, p99Usec, made * 100].map(figure),
        String(errors),
        ...[result.cpuUsec, result.cpuPercent, result.anonymousMiB].map(figure),
        String(replaced),
      ])
    }
  }
  return rows
}

const COMPARED = ['p50Usec', 'p99Usec', 'cpuUsec', 'anonymousMiB'] as const

/** The sizes that others are compared to. */
const BASES = [10, 100]

function ratios(sizes: Sizes): string[][] {
  const compare = (one: Result | undefined, other: Result | undefined) =>
    COMPARED.map(field => figure((one?.[field] ?? Number.NaN) / (other?.[field] ?? Number.NaN)))
  const rows = [['', 'p50', 'p99', 'CPU a read', 'anon']]
  for (const [size, { procveil, lxcfs }] of sizes) {
    rows.push([`N = ${size}: procveil / lxcfs`, ...compare(procveil, lxcfs)])
  }
  for (const base of BASES) {
    for (const [size, results] of sizes) {
      if (size <= base) continue
      for (const name of ['procveil', 'lxcfs'] as const) {
        const row = compare(results[name], sizes.get(base)?.[name])
        rows.push([`${name}: N = ${size} / ${base}`, ...row])
      }
    }
  }
  return rows
}
