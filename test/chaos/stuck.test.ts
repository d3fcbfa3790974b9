/** A server that was killed and is not gone keeps nobody waiting. */

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { started } from '../kit/box.ts'
import { HOST_KIB, readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { isUnnoticed } from './disturb.ts'
import { Load, UNHURRIED } from './load.ts'
import { needsOldFreezer, OldFreezer } from './old-freezer.ts'

const options = { ...needs('runc'), ...needsOldFreezer(), ...UNHURRIED }

const ATTEMPTS = 1000

/** Freezes one of our processes, and again until the moment is right. Returns its pid. */
async function freeze(
  t: Test,
  here: Site,
  command: 'serve' | 'server',
  isRight = () => true,
): Promise<number> {
  const pid = here.find(command)
  if (pid === undefined) throw new Error(`Cannot freeze the ${command} process: there is none`)
  const freezer = OldFreezer.make(t, `procveil-${command}`)
  for (let left = ATTEMPTS; left > 0; left--) {
    await freezer.freeze(pid)
    if (isRight()) return pid
    freezer.thaw()
    await sleep(Math.random() * 10)
  }
  throw new Error(`Cannot freeze the ${command} process at the right moment`)
}

/** In the midst of a text, which is blamed where a server hangs by itself: src/filesystem/quarantine.ts stores it so. */
function isRendering(here: Site): boolean {
  return readFileSync(`${here.runDirectory}/rendering`).readDoubleLE(0) !== 0
}

const OWN_KIB = String(2 ** 16)

const own = (t: Test, here: Site, id: string) => started(t, here, id, { memoryBytes: 2 ** 26 })

t.test('readers go on while a server that was killed is frozen', options, async t => {
  const here = site(t)
  const load = await Load.start(t, here)
  await sleep(300)
  const first = await freeze(t, here, 'server', () => isRendering(here))
  await sleep(3000)
  t.not(here.find('serve'), undefined)
  const seen = await load.stop()
  t.comment(`${seen.reads} reads, the longest took ${seen.longestMs} ms`)
  isUnnoticed(t, seen)
  t.ok(seen.longestMs < 3000, 'nobody waits for 3 s')
  t.ok(existsSync(`/proc/${first}`), 'the first server is still there')
  const log = here.readLog()
  t.match(log, `server ${first} was killed and is not gone`)
  t.notMatch(log, 'the server before failed at', 'no file is blamed for what it does not cause')
})

t.test('stop does not wait for a server that is frozen', options, async t => {
  const here = site(t)
  const box = await own(t, here, 'stopping')
  const first = await freeze(t, here, 'server')
  const startMs = performance.now()
  const { exitCode, stderr } = await here.procveil(['stop'])
  t.comment(`after ${Math.round(performance.now() - startMs)} ms`)
  t.equal(exitCode, 0, stderr)
  t.ok(existsSync(`/proc/${first}`), 'the server is still there')
  t.equal(await readMemTotal(box), HOST_KIB)
  t.strictSame(here.hostMounts(), [])
})

t.test('an upgrade does not wait for a server that is frozen', options, async t => {
  const here = site(t)
  const box = await own(t, here, 'upgraded')
  const first = await freeze(t, here, 'server')
  const startMs = performance.now()
  const { exitCode, stderr } = await here.procveil(['upgrade'])
  t.comment(`after ${Math.round(performance.now() - startMs)} ms`)
  t.equal(exitCode, 0, stderr)
  t.equal(await readMemTotal(box), OWN_KIB)
  t.ok(existsSync(`/proc/${first}`), 'the server is still there')
})

t.test('readers go on while a keeper that was killed is frozen', options, async t => {
  const here = site(t)
  const load = await Load.start(t, here)
  const keeper = here.find('serve') ?? 0
  await t.test('it is not gone', async t => {
    await freeze(t, here, 'serve')
    process.kill(keeper, 'SIGKILL')
    await sleep(2000)
    t.ok(existsSync(`/proc/${keeper}`), 'the keeper is still there')
  })
  await retry(() => {
    const next = here.find('serve')
    if (next === undefined || next === keeper) throw new Error('Cannot find the next keeper')
  })
  await sleep(500)
  isUnnoticed(t, await load.stop())
})

t.test('a service that is started heals what a frozen one has left', options, async t => {
  const here = site(t)
  const box = await own(t, here, 'left')
  const first = await freeze(t, here, 'server')
  process.kill(first, 'SIGKILL')
  process.kill(here.find('serve') ?? 0, 'SIGKILL')
  await sleep(500)
  const { length } = here.readLog()
  const startMs = performance.now()
  spawn(here.executable, [...here.options, 'serve'], { stdio: 'ignore' })
  await retry(() => {
    const isHealed = here.readLog().slice(length).includes('1 attached')
    if (!isHealed) throw new Error('Cannot go on: the second service has healed nothing yet')
  })
  t.comment(`after ${Math.round(performance.now() - startMs)} ms`)
  t.equal(await readMemTotal(box), OWN_KIB)
  t.ok(existsSync(`/proc/${first}`), 'the server is still there')
})
