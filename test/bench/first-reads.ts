/** What reads cost a service that was just started: code that has not run before is not compiled yet. */

import { setTimeout as sleep } from 'node:timers/promises'
import { type Paced, readPaced } from './pace.ts'
import { figure, type Report } from './report.ts'
import { Setup } from './setup.ts'

const PER_SECOND = 10
const MILLISECONDS = 1000
const WAITS_MS = [0, 2000]

/** `warm` has what a read at the same pace costs a service that has answered many, by file. */
export async function firstReads(
  setup: Setup,
  report: Report,
  warm: ReadonlyMap<string, Paced>,
): Promise<void> {
  const rows = [['file', 'read after', 'p50', 'p50 / warm', 'slowest', 'CPU', 'CPU / warm']]
  for (const [file, usual] of warm) {
    for (const waitMs of WAITS_MS) {
      const first = await readFirst(setup, file, waitMs)
      report.add({ part: 'first reads', file, waitMs, ...first })
      rows.push([
        file,
        waitMs === 0 ? 'start' : `${waitMs / 1000} s`,
        figure(first.p50Usec),
        figure(first.p50Usec / usual.p50Usec),
        figure(first.slowestUsec),
        figure(first.cpuUsec),
        figure(first.cpuUsec / usual.cpuUsec),
      ])
    }
  }
  const heading = `The first ${(PER_SECOND * MILLISECONDS) / 1000} reads of a service that was just started`
  report.table(`${heading}, ${PER_SECOND} a second, microseconds`, rows)
}

/** Each time another service, of which nothing else was read. */
async function readFirst(setup: Setup, file: string, waitMs: number) {
  const fresh = new Setup(setup.programs)
  setup.cleanups.add(() => fresh.clear())
  await fresh.startService()
  const started = performance.now()
  const containers = fresh.startContainers()
  await containers.grow(1)
  const path = await fresh.bind(containers, 0, fresh.source(containers, '%', file), 'file')
  await sleep(Math.max(0, started + waitMs - performance.now()))
  const paced = await readPaced(containers, fresh.pids(), PER_SECOND, MILLISECONDS, path)
  await fresh.clear()
  return paced
}
