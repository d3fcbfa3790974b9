/** Many containers, each of which reads its own files once a second, do not notice that the server is killed. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { compileC } from '../bench/compile.ts'
import { Setup } from '../bench/setup.ts'
import { needs } from '../kit/requirements.ts'
import { size } from '../kit/size.ts'
import { signal } from './disturb.ts'
import { UNHURRIED } from './load.ts'

const CONTAINERS = size({ short: 50, long: 300 })
const KILLS = size({ short: 10, long: 100, full: 1000 })
const EVERY_MS = 300
const MILLISECONDS = KILLS * EVERY_MS + 2000
const FILES = ['meminfo', 'stat', 'cpuinfo', 'uptime']

const options = { ...needs('gcc'), ...UNHURRIED }

t.test('the server is killed while a fleet reads', options, async t => {
  const programs = mkdtempSync(join(tmpdir(), 'procveil-fleet-'))
  t.teardown(() => rmSync(programs, { recursive: true }))
  const setup = new Setup({ fleet: await compileC(programs, 'fleet') })
  t.teardown(() => setup.clear())
  await setup.startService()
  const containers = setup.startContainers()
  await containers.grow(CONTAINERS)
  const files: string[] = []
  for (const file of FILES) {
    const source = setup.source(containers, '%', `proc/${file}`)
    files.push(await setup.bind(containers, 0, source, `procveil/${file}`))
  }
  const reads = containers.read(1, MILLISECONDS, files)
  for (let killed = 0; killed < KILLS; ) {
    await sleep(Math.random() * 2 * EVERY_MS)
    if (signal(setup.site, 'server', 'SIGKILL')) killed++
  }
  const { failed, wrong, latenciesUsec } = await reads
  const longestMs = Math.round((latenciesUsec.at(-1) ?? 0) / 1000)
  t.comment(`${KILLS} kills, ${latenciesUsec.length} reads, the longest took ${longestMs} ms`)
  t.equal(failed, 0, 'no read failed')
  t.equal(wrong, 0, "no text was another container's, and no number has fallen")
  t.ok(
    latenciesUsec.length > (CONTAINERS * FILES.length * MILLISECONDS) / 2000,
    'they went on reading',
  )
  t.ok(setup.countServers() > KILLS / 2, `${setup.countServers()} servers have answered`)
})
