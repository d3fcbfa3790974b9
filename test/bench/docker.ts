/** What `docker run` takes longer with procveil-runtime: one container at a time, in turns with the same under runc. */

import { Docker } from '../kit/docker.ts'
import { withinSuite } from '../kit/suite-root.ts'
import type { Effort } from './reading.ts'
import { figure, type Report } from './report.ts'
import type { Stage } from './stage.ts'
import { bootstrap } from './statistics.ts'

const CONTAINERS = 100
const CONTAINERS_QUICK = 10
const RUN = ['run', '--rm', '--network=none', '--memory=64m']
const LOOK = ['busybox', 'grep', 'MemTotal', '/proc/meminfo']

export interface DockerOptions {
  /** The Debian suite of which docker is taken; this machine's when missing. */
  suite?: string | undefined
}

export async function docker(
  stage: Stage,
  report: Report,
  effort: Effort,
  { suite }: DockerOptions,
): Promise<void> {
  const { site } = stage
  const within = suite === undefined ? [] : withinSuite(suite, site.directory)
  const engine = new Docker(site, { within })
  try {
    await engine.ready()
    await engine.importImage('busybox')
    const version = await engine.run('version', '--format={{.Server.Version}}')
    const start = async (runtime: string) => {
      const before = performance.now()
      const seen = await engine.run(...RUN, `--runtime=${runtime}`, ...LOOK)
      const milliseconds = performance.now() - before
      const isOwn = /^MemTotal: +65536 kB$/.test(seen)
      if (isOwn !== (runtime === 'procveil')) {
        throw new Error(`Cannot measure: a container of ${runtime} saw ${seen}`)
      }
      return milliseconds
    }
    const [base, own]: [number[], number[]] = [[], []]
    const count = effort.isQuick ? CONTAINERS_QUICK : CONTAINERS
    for (let round = -1; round < count; round++) {
      const [first, second] = round % 2 === 0 ? ['runc', 'procveil'] : ['procveil', 'runc']
      const times = { [first ?? '']: await start(first ?? '') }
      times[second ?? ''] = await start(second ?? '')
      // The first ones find cold caches.
      if (round < 0) continue
      base.push(times.runc ?? Number.NaN)
      own.push(times.procveil ?? Number.NaN)
    }
    const milliseconds = own.map((ms, i) => ms - (base[i] ?? Number.NaN))
    report.add({ part: 'docker', version, milliseconds })
    const added = bootstrap(milliseconds)
    report.table('docker run --rm, from the command to its end', [
      ['docker', 'runc, ms', 'procveil-runtime, ms', 'added, ms', '95 % interval', 'pairs'],
      [
        version,
        figure(bootstrap(base).median),
        figure(bootstrap(own).median),
        figure(added.median),
        `${figure(added.low)}-${figure(added.high)}`,
        String(count),
      ],
    ])
  } finally {
    await engine.remove()
  }
}
