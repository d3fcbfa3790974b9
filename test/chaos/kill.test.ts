/** No reader notices that the server or the keeper is killed, or hangs. */

import t from 'tap'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'
import { disturb, isUnnoticed, signal } from './disturb.ts'
import { often, UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }

t.test('the server is killed at random moments', options, async t => {
  const here = site(t)
  const act = () => signal(here, 'server', 'SIGKILL')
  const times = often({ full: 1000, brief: 60 })
  isUnnoticed(t, await disturb(t, here, { times, everyMs: 120, act }))
})

t.test('the keeper is killed at random moments', options, async t => {
  const here = site(t)
  const act = () => signal(here, 'serve', 'SIGKILL')
  const times = often({ full: 200, brief: 15 })
  isUnnoticed(t, await disturb(t, here, { times, everyMs: 600, act }))
})

t.test('the server is stopped at random moments', options, async t => {
  const here = site(t)
  const act = () => signal(here, 'server', 'SIGSTOP')
  const times = often({ full: 50, brief: 3 })
  const seen = await disturb(t, here, { times, everyMs: 4000, act })
  isUnnoticed(t, seen)
  t.ok(seen.longestMs < 5000, 'nobody waits for 5 s')
})
