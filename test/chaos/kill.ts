/** No reader notices that the server or the keeper is killed, stopped, or replaced. */

import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { needs, retry } from '../e2e/requirements.ts'
import { type Site, site } from '../e2e/site.ts'
import { readAll, startContainers } from './load.ts'

/** More in a long run: PROCVEIL_CHAOS=10. */
const SECONDS = 20 * Number(process.env.PROCVEIL_CHAOS ?? 1)

const random = (mostMs: number) =>
  new Promise(resolve => setTimeout(resolve, Math.random() * mostMs))

t.test('the server is killed at random moments', needs('runc'), async t => {
  await disturb(t, here => signal(here, 'server', 'SIGKILL'), 120)
})

t.test('the keeper is killed at random moments', needs('runc'), async t => {
  await disturb(t, here => signal(here, 'serve', 'SIGKILL'), 600)
})

t.test('the server is stopped at random moments', needs('runc'), async t => {
  const { longestMs } = await disturb(t, here => signal(here, 'server', 'SIGSTOP'), 4000)
  t.ok(longestMs < 5000, `nobody waits for 5 s: ${longestMs} ms`)
})

/** Reads under a disturbance that comes again within `everyMs`, and expects that nothing is seen of it. */
async function disturb(t: Test, disturbance: (here: Site) => boolean, everyMs: number) {
  const here = site(t)
  const boxes = await startContainers(t, here)
  const reading = readAll(boxes, SECONDS)
  let over = false
  reading
    .finally(() => {
      over = true
    })
    .catch(() => {})
  let times = 0
  await random(500)
  while (!over) {
    await random(everyMs)
    if (!over && disturbance(here)) times++
  }
  const seen = await reading
  t.comment(`${times} times, ${seen.reads} reads, the longest ${Math.round(seen.longestMs)} ms`)
  t.ok(times > 3, 'it was disturbed')
  t.strictSame(seen.failed, [], 'no read failed')
  t.strictSame(seen.wrong, [], 'no text was short, mixed, or behind')
  await retry(() => {
    if (here.servers().length !== 2) throw new Error('Cannot find one keeper and its server')
  })
  return seen
}

/** To one of our processes; false when there is none at the moment. */
function signal(here: Site, command: 'serve' | 'server', name: NodeJS.Signals): boolean {
  const pid = here.servers().find(each => argumentsOf(each).includes(command))
  if (pid === undefined) return false
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
