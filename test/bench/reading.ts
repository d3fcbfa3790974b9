/** How long a read takes, how many there are in a second, and what each costs the server. */

import type { Way } from './client.ts'
import { cpuUsec } from './process.ts'
import { figure, type Report, spread } from './report.ts'
import { FILES, type Stage, type Target, type TargetName } from './stage.ts'
import { median, quantile } from './statistics.ts'

interface Load {
  file: string
  way: Way
  readers: number
}

export interface Round {
  p50Usec: number
  p99Usec: number
  perSecond: number
  /** Of the server. */
  cpuUsec: number
}

export interface Effort {
  /** For whether all works; numbers are less exact. */
  isQuick: boolean
  rounds: number
  milliseconds: number
}

/** A round of one target. */
async function measure(stage: Stage, target: Target, load: Load, milliseconds: number) {
  const pids = target.pids()
  const before = pids.map(cpuUsec)
  const path = `${target.root}/${load.file}`
  const pass = await stage.client.read(load.way, load.readers, milliseconds, path)
  const used = pids.reduce((sum, pid, i) => sum + cpuUsec(pid) - (before[i] ?? 0), 0)
  const latencies = pass.latenciesUsec
  const round: Round = {
    p50Usec: quantile(latencies, 0.5),
    p99Usec: quantile(latencies, 0.99),
    perSecond: (latencies.length / pass.elapsedUsec) * 1e6,
    cpuUsec: used / latencies.length,
  }
  return { round, latencies }
}

/** Rounds of each target, taken in turn. */
async function compare(
  stage: Stage,
  report: Report,
  load: Load,
  { rounds, milliseconds }: Effort,
): Promise<Map<TargetName, Round[]>> {
  const results = new Map<TargetName, Round[]>(stage.targets.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const target of stage.targets) {
      if (target.lacks?.includes(load.file)) continue
      const measured = await measure(stage, target, load, milliseconds)
      // The first one warms up.
      if (round === 0) continue
      results.get(target.name)?.push(measured.round)
      const latenciesUsec = thin(measured.latencies)
      report.add({
        part: 'reading',
        target: target.name,
        round,
        ...load,
        ...measured.round,
        latenciesUsec,
      })
    }
  }
  return results
}

const MOST_SAVED = 200

/** Of many, as many as tell their distribution. */
function thin(sorted: Float64Array): number[] {
  const count = Math.min(sorted.length, MOST_SAVED)
  return Array.from({ length: count }, (_, i) => Number(quantile(sorted, i / count).toFixed(1)))
}

/** Latency of every file, one reader after the other way of reading. */
export async function reading(stage: Stage, report: Report, effort: Effort): Promise<void> {
  for (const readers of [1, 4, 16]) {
    const rows = await files(stage, report, effort, { way: 'open', readers })
    const many = readers === 1 ? '1 reader' : `${readers} readers`
    report.table(`Open, read to the end, close: ${many}, microseconds`, rows)
  }
  const rows = await files(stage, report, effort, { way: 'keep', readers: 1 })
  report.table('A descriptor kept, lseek and read: 1 reader, microseconds', rows)
}

const HEAD = [
  'file',
  'native p50',
  'floor p50',
  'lxcfs p50',
  'procveil p50',
  'p50 / lxcfs',
  'p50 / floor',
  'p99',
  'p99 / lxcfs',
  'reads/s',
  'reads/s / lxcfs',
  'CPU',
  'CPU / lxcfs',
]

async function files(
  stage: Stage,
  report: Report,
  effort: Effort,
  { way, readers }: Omit<Load, 'file'>,
): Promise<string[][]> {
  const rows = [HEAD]
  for (const file of readers === 1 ? FILES : ['meminfo', 'stat', 'cpuinfo', 'uptime']) {
    const rounds = await compare(stage, report, { file, way, readers }, effort)
    rows.push([file, ...row(rounds)])
  }
  return rows
}

function row(rounds: ReadonlyMap<TargetName, readonly Round[]>): string[] {
  const of = (name: TargetName) => rounds.get(name) ?? []
  const middle = (name: TargetName, field: keyof Round) =>
    figure(median(of(name).map(round => round[field])))
  const ratio = (field: keyof Round, to: TargetName) =>
    spread(of('procveil').map((round, i) => round[field] / (of(to)[i]?.[field] ?? Number.NaN)))
  return [
    middle('native', 'p50Usec'),
    middle('floor', 'p50Usec'),
    middle('lxcfs', 'p50Usec'),
    middle('procveil', 'p50Usec'),
    ratio('p50Usec', 'lxcfs'),
    ratio('p50Usec', 'floor'),
    middle('procveil', 'p99Usec'),
    ratio('p99Usec', 'lxcfs'),
    middle('procveil', 'perSecond'),
    ratio('perSecond', 'lxcfs'),
    middle('procveil', 'cpuUsec'),
    ratio('cpuUsec', 'lxcfs'),
  ]
}
