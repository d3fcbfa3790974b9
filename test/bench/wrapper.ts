/** What procveil-runtime costs: calls that create nothing, and create with start, each beside the same of runc alone. */

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { Box } from '../kit/box.ts'
import { isInPath } from '../kit/requirements.ts'
import { writeWrapper } from '../kit/wrapper.ts'
import type { Effort } from './reading.ts'
import { figure, type Report } from './report.ts'
import type { Stage } from './stage.ts'
import { bootstrap } from './statistics.ts'

const PAIRS = 300
const CONTAINERS = 60
const PAUSE_MS = 20

/** /bin/sh is one of them. */
const SHELLS: Readonly<Record<string, string>> = {
  dash: '/bin/dash',
  'bash as sh': '/bin/bash --posix',
}

interface Timed {
  what: string
  base: number[]
  own: number[]
}

export async function wrapper(stage: Stage, report: Report, effort: Effort): Promise<void> {
  const times = (count: number) => Math.ceil(count * (effort.isQuick ? 0.1 : 1))
  const { directory, executable, options } = stage.site
  const wrappers = Object.entries(SHELLS)
    .filter(([name]) => isInPath(name.split(' ')[0] ?? ''))
    .map(([name, shell]) => {
      const path = join(directory, `runtime-${name.replaceAll(' ', '-')}`)
      return { name, path: writeWrapper(path, { shell, executable, options }) }
    })
  const seen: Timed[] = []
  for (const { name, path } of wrappers)
    seen.push(...(await calls(stage, name, path, times(PAIRS))))
  for (const { name, path } of wrappers)
    seen.push(await created(stage, name, path, times(CONTAINERS)))
  const rows = seen.map(({ what, base, own }) => {
    const milliseconds = own.map((ms, i) => ms - (base[i] ?? Number.NaN))
    report.add({ part: 'wrapper', what, milliseconds })
    const added = bootstrap(milliseconds)
    return [
      what,
      figure(bootstrap(base).median),
      figure(bootstrap(own).median),
      figure(added.median),
      `${figure(added.low)}-${figure(added.high)}`,
      String(own.length),
    ]
  })
  report.table('procveil-runtime before runc', [
    ['', 'runc, ms', 'with it, ms', 'added, ms', '95 % interval', 'pairs'],
    ...rows,
  ])
}

/** Each program is called once a pair, in turns who is first. */
async function calls(stage: Stage, name: string, path: string, pairs: number): Promise<Timed[]> {
  const box = await stage.startBox({ stages: [] })
  const root = join(stage.site.directory, 'runc')
  const lines: Readonly<Record<string, readonly string[]>> = {
    '--version': ['--version'],
    state: ['--root', root, '--log-format', 'json', 'state', box.id],
  }
  const timed = Object.entries(lines).map(([line, args]) => {
    const call = (program: string) => {
      const before = performance.now()
      const { status } = spawnSync(program, args, { stdio: 'ignore' })
      if (status !== 0) throw new Error(`Cannot measure ${program} ${line}: status ${status}`)
      return performance.now() - before
    }
    const { base, own } = inPairs(
      pairs,
      () => call('runc'),
      () => call(path),
    )
    return { what: `${line}, ${name}`, base, own }
  })
  await box.remove()
  return timed
}

function inPairs(pairs: number, one: () => number, other: () => number) {
  const [base, own]: [number[], number[]] = [[], []]
  for (let pair = -3; pair < pairs; pair++) {
    const [first, second] = pair % 2 === 0 ? [one(), other()] : [other(), one()].reverse()
    // The first ones find cold caches.
    if (pair < 0) continue
    base.push(first ?? Number.NaN)
    own.push(second ?? Number.NaN)
  }
  return { base, own }
}

/** With the hook in the bundle already, and with it added: both run the hook itself. */
async function created(stage: Stage, name: string, path: string, rounds: number): Promise<Timed> {
  const root = join(stage.site.directory, 'runc')
  const start = async (box: Box, program: string) => {
    const call = (...args: string[]) =>
      execa(program, ['--root', root, '--log', join(box.bundle, 'log'), ...args], {
        stdio: 'ignore',
      })
    const before = performance.now()
    await call('create', '--bundle', box.bundle, box.id)
    await call('start', box.id)
    return performance.now() - before
  }
  const [base, own]: [number[], number[]] = [[], []]
  for (let round = -1; round < rounds; round++) {
    const hooked = stage.makeBox({ stages: ['createRuntime'] })
    const bare = stage.makeBox({ stages: [] })
    // The files of a bundle are hundreds, and the kernel is busy with them for a while.
    await sleep(PAUSE_MS)
    const turns = [() => start(hooked, 'runc'), () => start(bare, path)]
    const times = [Number.NaN, Number.NaN]
    for (const which of round % 2 === 0 ? [0, 1] : [1, 0])
      times[which] = (await turns[which]?.()) ?? Number.NaN
    for (const box of [hooked, bare]) await box.remove()
    if (round < 0) continue
    base.push(times[0] ?? Number.NaN)
    own.push(times[1] ?? Number.NaN)
  }
  return { what: `create and start, ${name}`, base, own }
}
