/** How long the hook takes, alone and within `runc run`. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Box } from '../kit/box.ts'
import { retry } from '../kit/requirements.ts'
import type { Effort } from './reading.ts'
import { figure, type Report } from './report.ts'
import type { Stage } from './stage.ts'
import { bootstrap, type Interval } from './statistics.ts'

const PAIRS = 50
const FIRST = 15

export async function hooks(stage: Stage, report: Report, effort: Effort): Promise<void> {
  const scale = effort.isQuick ? 0.1 : 1
  const rows = [['', 'median ms', '95 % interval', '/ true']]
  const alone = await hookAlone(stage, Math.ceil(100 * scale))
  const row = (name: string, times: readonly number[], per?: number) => {
    report.add({ part: 'hooks', what: name, milliseconds: times })
    const interval = bootstrap(times)
    const ratio = per === undefined ? '' : figure(interval.median / per)
    rows.push([name, figure(interval.median), between(interval), ratio])
    return interval.median
  }
  const nothing = row('/bin/true', alone.nothing)
  row('hook alone, all files bound', alone.hook, nothing)
  row('added to runc run', await withinRun(stage, Math.ceil(PAIRS * scale)))
  const first = await firstHook(stage, Math.ceil(FIRST * scale))
  row('added by the server that is to be started', first)
  report.table('The hook', rows)
}

const between = ({ low, high }: Interval) => `${figure(low)}-${figure(high)}`

/** Milliseconds that a command takes. */
async function launch(stage: Stage, input: string, command: readonly string[]): Promise<number> {
  const { stdout } = await execa(stage.programs.launcher, [input, ...command])
  return Number(stdout) / 1e6
}

/** As the runtime runs it, for a container without our files. */
async function hookAlone(stage: Stage, count: number) {
  const box = await stage.startBox({ stages: [] })
  const input = await stateFile(stage, box)
  const nothing: number[] = []
  const hook: number[] = []
  for (let round = 0; round <= count; round++) {
    const plain = await launch(stage, input, ['/bin/true'])
    const ours = await launch(stage, input, hookCommand(stage))
    await stage.site.procveil(['umount', '--registered', '-c', box.id])
    if (round === 0) continue
    nothing.push(plain)
    hook.push(ours)
  }
  await box.remove()
  return { nothing, hook }
}

const hookCommand = ({ site }: Stage) => [site.executable, ...site.options, 'hook']

async function stateFile(stage: Stage, box: Box): Promise<string> {
  const path = join(stage.site.directory, 'state.json')
  const { id, bundle } = box
  const state = { ociVersion: '1.0.2', id, bundle, status: 'creating', pid: await box.pid() }
  writeFileSync(path, JSON.stringify(state))
  return path
}

/** The difference of pairs, of which now one comes first, now the other. */
async function withinRun(stage: Stage, pairs: number): Promise<number[]> {
  const differences: number[] = []
  const timed = async (stages: readonly 'prestart'[]) => {
    const box = stage.makeBox({ stages })
    const before = performance.now()
    await box.start()
    const after = performance.now()
    await box.remove()
    return after - before
  }
  for (let pair = 0; pair <= pairs; pair++) {
    const hookFirst = pair % 2 === 0
    const one = await timed(hookFirst ? ['prestart'] : [])
    const other = await timed(hookFirst ? [] : ['prestart'])
    if (pair > 0) differences.push(hookFirst ? one - other : other - one)
  }
  return differences
}

/** How much longer a hook takes that finds no server. */
async function firstHook(stage: Stage, count: number): Promise<number[]> {
  const other = await stage.another()
  const box = await stage.startBox({ stages: [] })
  const input = await stateFile(stage, box)
  const differences: number[] = []
  for (let round = 0; round < count; round++) {
    await other.site.killServers()
    await retry(() => other.unmount())
    const first = await launch(stage, input, hookCommand(other))
    const second = await launch(stage, input, hookCommand(other))
    differences.push(first - second)
  }
  await box.remove()
  return differences
}
