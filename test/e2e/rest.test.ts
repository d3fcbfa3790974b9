/** While nobody reads, nothing of ours runs; and the first request after that is watched over as any other. */

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { needs } from './requirements.ts'
import { type Site, site } from './site.ts'

/** By then the keeper has looked often enough. */
const UNTIL_REST_MS = 4000
const REST_MS = 3000

/** How often the two processes have gone to sleep: each time they were woken up before. */
function sleeps(here: Site): number {
  const counts = here.servers().map(pid => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1])
  })
  return counts.reduce((sum, count) => sum + count, 0)
}

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
    const server = here.find('server') ?? 0
    process.kill(server, 'SIGSTOP')
    t.match((await read()).stdout, /^MemTotal:/, `${rest}: read in spite of a stopped server`)
    t.not(here.find('server'), server, 'it was replaced')
    await sleep(UNTIL_REST_MS)
  }
})
