/** What many registered containers cost: reads of all in turn, memory, and wake-ups while nobody reads. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { countSleeps } from '../kit/sleeps.ts'
import { Client } from './client.ts'
import { Crowd } from './crowd.ts'
import { cpuUsec, memoryOf } from './process.ts'
import type { Effort, Round } from './reading.ts'
import { figure, type Report, spread } from './report.ts'
import { FILES, type Stage } from './stage.ts'
import { median, quantile } from './statistics.ts'

const SIZES = [1, 100, 1000]
const SIZES_QUICK = [1, 20, 50]

const MANY_READS = 100_000

export async function containers(stage: Stage, report: Report, effort: Effort): Promise<void> {
  const sizes = effort.isQuick ? SIZES_QUICK : SIZES
  // The same read in a container of a service that has no other.
  const alone = await stage.another()
  const crowd = new Crowd(stage.site)
  const client = new Client([stage.programs.reader])
  try {
    const rows = [['containers', 'p50', 'p50 / alone', 'CPU', 'CPU / alone']]
    const memory = [
      ['', 'keeper anon MiB', 'server anon MiB', 'keeper file', 'server file'],
      await idleMemory(alone, report, 'hardly read'),
    ]
    await readOften(stage, effort.isQuick ? 2000 : MANY_READS)
    memory.push(await idleMemory(stage, report, 'much read'))
    const idle = [['containers', 'keeper sleeps/min', 'server sleeps/min', 'CPU ms/min']]
    for (const size of sizes) {
      await crowd.grow(size)
      const [here, there]: [Round[], Round[]] = [[], []]
      for (let round = 0; round <= effort.rounds; round++) {
        for (const [on, path, files, rounds] of [
          [stage, crowd.path('meminfo'), size, here],
          [alone, pathIn(alone), 1, there],
        ] as const) {
          const measured = await readAll(client, on, path, files, effort.milliseconds)
          if (round === 0) continue
          rounds.push(measured)
          report.add({ part: 'containers', containers: on === stage ? size : 0, ...measured })
        }
      }
      const ratios = (field: keyof Round) =>
        here.map((each, i) => each[field] / (there[i]?.[field] ?? 0))
      rows.push([
        String(size),
        figure(median(here.map(each => each.p50Usec))),
        spread(ratios('p50Usec')),
        figure(median(here.map(each => each.cpuUsec))),
        spread(ratios('cpuUsec')),
      ])
      const idleMs = effort.isQuick ? 3000 : 20_000
      idle.push([String(size), ...(await idleRow(stage, report, size, idleMs))])
      memory.push(memoryRow(stage, report, `${size} containers`))
    }
    report.table('Registered containers, meminfo of all of them in turn, microseconds', rows)
    report.table('Memory', memory)
    report.table('Nobody reads', idle)
  } finally {
    await client.end()
    await crowd.end()
  }
}

const pathIn = ({ site, box }: Stage) => join(site.mountPoint, 'containers', box.id, 'proc/meminfo')

/** Reads a file of each container on the path, whose number stands for its `%`, one after the other. */
async function readAll(
  client: Client,
  stage: Stage,
  path: string,
  files: number,
  milliseconds: number,
): Promise<Round> {
  const server = stage.server()
  const before = cpuUsec(server)
  const { latenciesUsec, elapsedUsec } = await client.read('open', 1, milliseconds, path, files)
  return {
    p50Usec: quantile(latenciesUsec, 0.5),
    p99Usec: quantile(latenciesUsec, 0.99),
    perSecond: (latenciesUsec.length / elapsedUsec) * 1e6,
    cpuUsec: (cpuUsec(server) - before) / latenciesUsec.length,
  }
}

/** By then the keeper has looked often enough whether the server answers. */
const UNTIL_REST_MS = 4000

function processes(stage: Stage): [keeper: number, server: number] {
  const keeper = stage.site.find('serve')
  if (keeper === undefined) throw new Error('Cannot measure: there is no keeper')
  return [keeper, stage.server()]
}

/** So many at least, shared out among all files. */
async function readOften(stage: Stage, reads: number): Promise<void> {
  for (const file of FILES) {
    for (let left = reads / FILES.length; left > 0; ) {
      const pass = await stage.client.read('open', 4, 500, `/proc/${file}`)
      left -= pass.latenciesUsec.length
    }
  }
}

async function idleMemory(stage: Stage, report: Report, state: string): Promise<string[]> {
  await sleep(UNTIL_REST_MS)
  return memoryRow(stage, report, state)
}

function memoryRow(stage: Stage, report: Report, state: string): string[] {
  const uses = processes(stage).map(memoryOf)
  const mebibytes = (kib: number) => figure(kib / 1024)
  const [keeper, server] = uses
  report.add({
    part: 'memory',
    state,
    keeperAnonymousKib: keeper?.anonymousKib ?? 0,
    serverAnonymousKib: server?.anonymousKib ?? 0,
    keeperFileKib: keeper?.fileKib ?? 0,
    serverFileKib: server?.fileKib ?? 0,
  })
  return [
    state,
    ...uses.map(({ anonymousKib }) => mebibytes(anonymousKib)),
    ...uses.map(({ fileKib }) => mebibytes(fileKib)),
  ]
}

async function idleRow(stage: Stage, report: Report, size: number, ms: number): Promise<string[]> {
  await sleep(UNTIL_REST_MS)
  const pids = processes(stage)
  const before = pids.map(pid => ({ sleeps: countSleeps(pid), usec: cpuUsec(pid) }))
  await sleep(ms)
  const minutes = ms / 60_000
  const slept = pids.map((pid, i) => (countSleeps(pid) - (before[i]?.sleeps ?? 0)) / minutes)
  const used = pids.reduce((sum, pid, i) => sum + cpuUsec(pid) - (before[i]?.usec ?? 0), 0)
  const cpuMs = used / 1000 / minutes
  report.add({
    part: 'idle',
    containers: size,
    keeper: slept[0] ?? 0,
    server: slept[1] ?? 0,
    cpuMs,
  })
  return [...slept.map(figure), figure(cpuMs)]
}
