/**
 * How long the hook takes, alone and within `runc run`, beside an empty program of the same run time in its place: that
 * is what no hook in TypeScript can go below.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { Box, BoxOptions } from '../kit/box.ts'
import { retry } from '../kit/requirements.ts'
import type { Effort } from './reading.ts'
import { figure, type Report } from './report.ts'
import type { Stage } from './stage.ts'
import { bootstrap, type Interval, median } from './statistics.ts'

const ALONE = 100
const ROUNDS = 100
const FIRST = 15
const CONTAINERS = 100
const AT_A_TIME = 8
const CROWDS = 3
const PAUSE_MS = 20

export async function hooks(stage: Stage, report: Report, effort: Effort): Promise<void> {
  const times = (count: number) => Math.ceil(count * (effort.isQuick ? 0.1 : 1))
  await alone(stage, report, times(ALONE))
  await withinRun(stage, report, times(ROUNDS))
  await crowded(stage, report, times(CONTAINERS), times(CROWDS))
  await first(stage, report, times(FIRST))
}

interface Launch {
  ms: number
  /** Of its peak. */
  mib: number
}

async function launch(stage: Stage, input: string, command: readonly string[]): Promise<Launch> {
  const { stdout } = await execa(stage.programs.launcher, [input, ...command])
  const [nanoseconds, kib] = stdout.split(' ').map(Number)
  return { ms: (nanoseconds ?? Number.NaN) / 1e6, mib: (kib ?? Number.NaN) / 1024 }
}

/** As a runtime runs it: for a container without our files, for one that has them, and where no service is asked. */
async function alone(stage: Stage, report: Report, rounds: number): Promise<void> {
  const box = await stage.startBox({ stages: [] })
  const input = await stateFile(stage, box)
  const hook = hookCommand(stage)
  const unbind = () => stage.site.procveil(['umount', '--registered', '-c', box.id])
  const programs: Readonly<Record<string, () => Promise<Launch>>> = {
    '/bin/true': () => launch(stage, input, ['/bin/true']),
    'an empty program': () => launch(stage, input, [stage.programs.empty]),
    'the hook, nothing bound yet': async () => {
      await unbind()
      return launch(stage, input, hook)
    },
    'the hook, all bound already': () => launch(stage, input, hook),
    'the hook without the service, all bound already': () =>
      launch(stage, input, [...hook, '--direct']),
  }
  const launches = await inTurns(programs, rounds)
  await box.remove()
  const base = median((launches['an empty program'] ?? []).map(({ ms }) => ms))
  const rows = Object.entries(launches).map(([what, seen]) => {
    const milliseconds = seen.map(({ ms }) => ms)
    report.add({ part: 'hooks', what, milliseconds, mib: seen.map(({ mib }) => mib) })
    const interval = bootstrap(milliseconds)
    const peak = figure(median(seen.map(({ mib }) => mib)))
    return [what, figure(interval.median), between(interval), figure(interval.median / base), peak]
  })
  report.table('A process alone', [
    ['', 'median ms', '95 % interval', '/ empty', 'peak, MiB'],
    ...rows,
  ])
}

/** Runs each of them once a round, each round in another order, after what `prepare` does for all of them. */
async function inTurns<T>(
  programs: Readonly<Record<string, () => Promise<T>>>,
  rounds: number,
  prepare: () => Promise<void> = async () => {},
): Promise<Record<string, T[]>> {
  const names = Object.keys(programs)
  const seen: Record<string, T[]> = Object.fromEntries(names.map(name => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    await prepare()
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length] ?? ''
      const one = await programs[name]?.()
      // The first ones find cold caches.
      if (round > 0 && one !== undefined) seen[name]?.push(one)
    }
  }
  return seen
}

/** What stands in the place of a hook. */
function variants(stage: Stage): Readonly<Record<string, BoxOptions>> {
  return {
    'no hook': { stages: [] },
    'an empty program': { hookProgram: stage.programs.empty },
    'the hook': {},
  }
}

/** What is to be called for each variant, by its name. */
function forEach<T>(
  options: Readonly<Record<string, BoxOptions>>,
  action: (options: BoxOptions) => Promise<T>,
): Record<string, () => Promise<T>> {
  const entries = Object.entries(options)
  return Object.fromEntries(entries.map(([name, each]) => [name, () => action(each)]))
}

/** What is added to `runc run`: the differences of pairs. */
async function withinRun(stage: Stage, report: Report, rounds: number): Promise<void> {
  const options = variants(stage)
  let boxes: Record<string, Box> = {}
  const remove = async () => {
    for (const box of Object.values(boxes)) await box.remove()
  }
  // The files of a bundle are hundreds, and the kernel is busy with them for a while.
  const prepare = async () => {
    await remove()
    const made = Object.entries(options).map(([name, each]) => [name, stage.makeBox(each)])
    boxes = Object.fromEntries(made)
    await sleep(PAUSE_MS)
  }
  const timed = Object.keys(options).map(name => [
    name,
    async () => {
      const before = performance.now()
      await boxes[name]?.start()
      return performance.now() - before
    },
  ])
  const programs: Record<string, () => Promise<number>> = Object.fromEntries(timed)
  const seen = await inTurns(programs, rounds, prepare)
  await remove()
  const { 'no hook': without = [], ...others } = seen
  let base = Number.NaN
  const rows = Object.entries(others).map(([what, times]) => {
    const milliseconds = times.map((ms, i) => ms - (without[i] ?? Number.NaN))
    report.add({ part: 'hooks', what: `${what}, in runc run`, milliseconds })
    const interval = bootstrap(milliseconds)
    if (what === 'an empty program') base = interval.median
    return [what, figure(interval.median), between(interval), figure(interval.median / base)]
  })
  report.table('Added to runc run', [['', 'median ms', '95 % interval', '/ empty'], ...rows])
}

/** Many containers at once, started and deleted. */
async function crowded(
  stage: Stage,
  report: Report,
  containers: number,
  rounds: number,
): Promise<void> {
  const timed = async (options: BoxOptions) => {
    const boxes = Array.from({ length: containers }, () => stage.makeBox(options))
    const startedMs = await eachOf(boxes, box => box.start())
    const deletedMs = await eachOf(boxes, box => box.runc('delete', '--force', box.id))
    // What is left are their bundles.
    for (const box of boxes) await box.remove()
    return { startedMs, deletedMs }
  }
  const seen = await inTurns(forEach(variants(stage), timed), rounds)
  const rows = Object.entries(seen).map(([what, times]) => {
    const columns = (['startedMs', 'deletedMs'] as const).flatMap(which => {
      const milliseconds = times.map(each => each[which])
      report.add({ part: 'hooks', what: `${what}, ${containers} containers`, milliseconds, which })
      const ratios = times.map((each, i) => each[which] / (seen['no hook']?.[i]?.[which] ?? 0))
      return [figure(median(milliseconds)), figure(median(ratios))]
    })
    return [what, ...columns]
  })
  report.table(`${containers} containers, ${AT_A_TIME} at a time`, [
    ['', 'started, ms', '/ no hook', 'deleted, ms', '/ no hook'],
    ...rows,
  ])
}

/** Milliseconds until it is done for all, of which some are worked on at a time. */
async function eachOf(
  boxes: readonly Box[],
  action: (box: Box) => Promise<unknown>,
): Promise<number> {
  const left = [...boxes]
  const before = performance.now()
  const lane = async () => {
    for (let box = left.shift(); box !== undefined; box = left.shift()) await action(box)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, lane))
  return performance.now() - before
}

/** How much longer a hook takes that finds no server. */
async function first(stage: Stage, report: Report, rounds: number): Promise<void> {
  const other = await stage.another()
  const box = await stage.startBox({ stages: [] })
  const input = await stateFile(stage, box)
  const milliseconds: number[] = []
  for (let round = 0; round < rounds; round++) {
    await other.site.killServers()
    await retry(() => other.unmount())
    const one = await launch(stage, input, hookCommand(other))
    const next = await launch(stage, input, hookCommand(other))
    milliseconds.push(one.ms - next.ms)
  }
  await box.remove()
  report.add({ part: 'hooks', what: 'the service is to be started', milliseconds })
  const interval = bootstrap(milliseconds)
  report.table('Added where the service is to be started', [
    ['median ms', '95 % interval'],
    [figure(interval.median), between(interval)],
  ])
}

const between = ({ low, high }: Interval) => `${figure(low)}-${figure(high)}`

const hookCommand = ({ site }: Stage) => [site.executable, ...site.options, 'hook']

async function stateFile(stage: Stage, box: Box): Promise<string> {
  const path = join(stage.site.directory, 'state.json')
  const { id, bundle } = box
  const state = { ociVersion: '1.0.2', id, bundle, status: 'creating', pid: await box.pid() }
  writeFileSync(path, JSON.stringify(state))
  return path
}
