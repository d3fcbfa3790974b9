/** While nobody reads, nothing of ours runs; and the first request after that is watched over as any other. */

import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { needs } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { countSleeps } from '../kit/sleeps.ts'

/** By then the keeper has looked often enough. */
const UNTIL_REST_MS = 4000
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
  await sleep(UNTIL_REST_MS)

  const before = sleeps(here)
  await sleep(REST_MS)
  const woken = sleeps(here) - before
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
