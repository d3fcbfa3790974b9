/** A service manager keeps the mount's descriptors: both processes may be killed at the same moment, and readers wait. */

import { readFileSync, writeFileSync } from 'node:fs'
import { execa } from 'execa'
import t from 'tap'
import { started } from '../kit/box.ts'
import { killBoth, manage } from '../kit/managed.ts'
import { readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { signalAll } from '../kit/signal-all.ts'
import { size } from '../kit/size.ts'
import { temporary } from '../kit/temporary.ts'
import { disturb, isUnnoticed, signal } from './disturb.ts'
import { UNHURRIED } from './load.ts'

/** What a container with 64 MiB sees. */
const OWN = String(64 * 1024)

const options = { ...needs('runc'), ...UNHURRIED }

t.test('both processes are killed at the same moment', options, async t => {
  const { here, told } = await manage(t)
  const times = size({ short: 4, long: 30, full: 200 })
  const seen = await disturb(t, here, { times, everyMs: 1000, act: () => killBoth(here) })
  isUnnoticed(t, seen)
  const removed = told().filter(line => /^removed (fuse|requests)-/.test(line))
  t.strictSame(removed, [], 'at every moment it has all that the next one needs')
  if (!t.passing()) t.comment(here.readLog().slice(-200_000))
  t.match(here.readLog(), /goes on with the mount that systemd has kept/)
  t.notMatch(here.readLog(), /mounted anew/)
})

t.test('server, keeper or both are killed', options, async t => {
  const { here } = await manage(t, { isAbstract: true })
  const acts = [
    () => signal(here, 'server', 'SIGKILL'),
    () => signal(here, 'serve', 'SIGKILL'),
    () => killBoth(here),
  ]
  const act = () => acts[Math.floor(Math.random() * acts.length)]?.() ?? false
  const times = size({ short: 10, long: 100, full: 1000 })
  isUnnoticed(t, await disturb(t, here, { times, everyMs: 300, act, mayStandBy: true }))
})

t.test('one that stands by ends when both others were killed', options, async t => {
  const { here, told } = await manage(t)
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  signal(here, 'serve', 'SIGKILL')
  await retry(() => {
    if (!here.readLog().includes('stands by')) throw new Error('Cannot go on: none stands by')
  })
  const standby = Number(/serve\[(\d+)\] info: process \d+ serves/.exec(here.readLog())?.[1])
  const others = here.servers().filter(pid => pid !== standby)
  for (const name of ['SIGSTOP', 'SIGKILL'] as const) signalAll(others, name)
  const startMs = performance.now()
  t.equal(await readMemTotal(box), OWN)
  t.comment(`the reader waited ${Math.round(performance.now() - startMs)} ms`)
  // So it is started with what is kept by then.
  await retry(() => {
    if (!told().includes('ended 0')) throw new Error(`Cannot see it end: ${told()}`)
  })
})

t.test('a mount that was made anew takes the place of the one that is kept', options, async t => {
  const { here, told } = await manage(t)
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  const [first] = told().filter(line => line.startsWith('stored fuse-'))
  await execa('umount', ['--force', here.mountPoint])
  await retry(() => {
    if (told().filter(line => line.startsWith('stored fuse-')).length < 2)
      throw new Error('not yet')
  })
  t.ok(told().includes(String(first).replace('stored', 'removed')))
  await retry(async () => {
    if ((await readMemTotal(box)) !== OWN) throw new Error('Cannot go on: it is not healed')
  })
  killBoth(here)
  t.equal(await readMemTotal(box), OWN)
})

t.test('a configuration that was damaged since holds nobody up', options, async t => {
  const directory = temporary(t, 'procveil-config-')
  const config = `${directory}/config.json`
  writeFileSync(config, '{ "uptime": "host" }')
  const { here } = await manage(t, { arguments: ['--config', config] })
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  writeFileSync(config, '{')
  killBoth(here)
  t.equal(await readMemTotal(box), OWN)
  const seconds = async (path: string) => Number((await box.cat(path)).split(' ')[0])
  t.ok((await seconds('/proc/uptime')) > 100, 'it has the options of before')
  t.match(here.readLog(), /error: Cannot read .*config.json/)
})

t.test('no other program gets what was passed', options, async t => {
  const { here } = await manage(t)
  const before = here.servers()
  killBoth(here)
  const next = await retry(() => {
    const now = here.servers()
    if (now.length === 2 && !now.some(pid => before.includes(pid))) return now
    throw new Error('Cannot find another keeper and its server')
  })
  for (const pid of next) {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
    if (pid === here.find('serve')) continue
    t.notMatch(environment, /LISTEN_/, 'a server')
    t.match(environment, /NOTIFY_SOCKET/, 'which may have to start a keeper')
  }
})

t.test('a service that is stopped leaves nothing', options, async t => {
  const { here, told, stop } = await manage(t)
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  await stop()
  t.ok(told().some(line => line.startsWith('removed fuse-')))
  t.not(await readMemTotal(box), OWN)
  t.notOk(here.hostMounts().includes(here.mountPoint))
})
