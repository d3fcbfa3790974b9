/**
 * Kernels before Linux 6.9 do not send requests again: those that a dying server has read fail, and nothing worse
 * happens to their readers.
 */

import { spawn } from 'node:child_process'
import t, { type Test } from 'tap'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { disturb, signal } from './disturb.ts'
import { Load, UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }

/** What a process gets whose request is lost with its server. */
const LOST = /ENOTCONN|ECONNABORTED/

async function serveWithoutResend(t: Test): Promise<Site> {
  const here = site(t)
  spawn(here.executable, [...here.options, 'serve', '--without-resend'], { stdio: 'ignore' })
  await retry(() => {
    if (!here.readLog().includes('serves')) throw new Error('Cannot go on: it is not ready')
  })
  return here
}

for (const [name, command, times] of [
  ['server', 'server', size({ short: 8, long: 40, full: 1000 })],
  ['keeper', 'serve', size({ short: 3, long: 10, full: 200 })],
] as const) {
  t.test(`reads in flight fail when the ${name} is killed, and no others`, options, async t => {
    const here = await serveWithoutResend(t)
    const act = () => signal(here, command, 'SIGKILL')
    const { failures, failed, wrong } = await disturb(t, here, { times, everyMs: 200, act })
    t.ok(failures <= times * Load.readers, `${failures} failed`)
    t.strictSame(
      failed.filter(message => !LOST.test(message)),
      [],
    )
    t.strictSame(wrong, [])
  })
}

t.test('a server that hangs lets its readers go', options, async t => {
  const here = await serveWithoutResend(t)
  const seen = await disturb(t, here, {
    times: size({ short: 1, long: 2, full: 20 }),
    everyMs: 4000,
    act: () => signal(here, 'server', 'SIGSTOP'),
  })
  t.ok(seen.longestMs < 5000, 'nobody waits for 5 s')
  t.strictSame(
    seen.failed.filter(message => !LOST.test(message)),
    [],
  )
  t.strictSame(seen.wrong, [])
})
