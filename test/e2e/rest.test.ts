/** While nobody reads, nothing of ours runs; and the first request after that is watched over as any other. */

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { readContainer } from '../../src/container/identity.ts'
import { Registry } from '../../src/container/registry.ts'
import { Host } from '../../src/host/host.ts'
import { stoppedClock } from '../../src/host/recording.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { countSleeps } from '../kit/sleeps.ts'

/** By then the keeper has looked often enough. */
const UNTIL_REST_MS = 4000
/** On a busy machine that takes longer. */
const MOST_UNTIL_REST_MS = 20_000
const REST_MS = 3000

/** Of both processes. */
const sleeps = (here: Site) =>
  here
    .servers()
    .map(countSleeps)
    .reduce((sum, count) => sum + count, 0)

t.test('at rest', { ...needs(), timeout: 60_000 }, async t => {
  const here = site(t)
  await here.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
  const read = () => execa('cat', [`${here.mountPoint}/proc/meminfo`], { timeout: 20_000 })
  await read()
  const started = performance.now()
  let woken = 0
  do {
    const before = sleeps(here)
    await sleep(REST_MS)
    woken = sleeps(here) - before
  } while (woken > 0 && performance.now() - started < MOST_UNTIL_REST_MS)
  t.comment(`${woken} wake-ups in ${REST_MS} ms`)
  t.equal(woken, 0)

  for (const rest of ['first', 'second']) {
    if (rest === 'second') await sleep(UNTIL_REST_MS)
    const server = here.find('server') ?? 0
    process.kill(server, 'SIGSTOP')
    t.match((await read()).stdout, /^MemTotal:/, `${rest}: read in spite of a stopped server`)
    t.not(here.find('server'), server, 'it was replaced')
  }
})

t.test('nothing is left of the rehearsal', { ...needs(), timeout: 60_000 }, async t => {
  const here = site(t)
  const stage = join(here.runDirectory, 'rehearsal')
  const wait = (isThere: boolean) =>
    retry(() => {
      if (existsSync(stage) !== isThere) throw new Error(`${stage}: there is ${!isThere}`)
    })
  await here.hook({ id: 'y', status: 'creating', pid: process.pid, root: '/nowhere' })
  const seen = () => {
    const metrics = readFileSync(join(here.mountPoint, 'metrics/procveil.prom'), 'utf8')
    const server = `/proc/${here.find('server')}/fd`
    const open = readdirSync(server).map(fd => readlinkSync(join(server, fd)))
    return {
      counted: metrics.match(/^procveil_(reads_total{file="(proc|sys)|open_files).*$/gm),
      open: open.map(path => path.replace(/\d+/g, 'N')).sort(),
    }
  }
  const before = seen()
  const host = new Host('/', stoppedClock({ monotonicUsec: 0, boottimeUsec: 0 }))
  const container = readContainer(host, 'x', { pid: process.pid, rootfs: '/' })
  new Registry(here.runDirectory).register(container)
  // A request lets it begin.
  readFileSync(join(here.mountPoint, 'metrics/procveil.prom'))
  await wait(true)
  await wait(false)
  t.strictSame(seen(), before)
})
