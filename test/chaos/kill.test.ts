/** No reader notices that the server or the keeper is killed, or hangs. */

import t from 'tap'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'
import { size } from '../kit/size.ts'
import { disturb, isUnnoticed, signal } from './disturb.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }

t.test('the server is killed at random moments', options, async t => {
  const here = site(t)
  const act = () => signal(here, 'server', 'SIGKILL')
  const times = size({ short: 10, long: 60, full: 1000 })
  isUnnoticed(t, await disturb(t, here, { times, everyMs: 120, act }))
})

t.test('the keeper is killed at random moments', options, async t => {
  const here = site(t)
  const act = () => signal(here, 'serve', 'SIGKILL')
  const times = size({ short: 4, long: 15, full: 200 })
  isUnnoticed(t, await disturb(t, here, { times, everyMs: 600, act }))
})

t.test('the server is stopped at random moments', options, async t => {
  const here = site(t)
  const act = () => signal(here, 'server', 'SIGSTOP')
  const times = size({ short: 1, long: 3, full: 50 })
  const seen = await disturb(t, here, { times, everyMs: 4000, act })
  isUnnoticed(t, seen)
  t.ok(seen.longestMs < 5000, 'nobody waits for 5 s')
})
