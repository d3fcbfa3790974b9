/** Nothing can be written into the run directory: what starts meanwhile, and what `doctor` says mends it. */

import { mkdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa, execaSync } from 'execa'
import t, { type Test } from 'tap'
import { started } from '../kit/box.ts'
import { follow, isWell, problemOf } from '../kit/doctor.ts'
import { Filler, smallRunDirectory } from '../kit/filler.ts'
import { killBoth, manage } from '../kit/managed.ts'
import { readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { signal } from './disturb.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }
const OWN_KIB = String(64 * 1024)
const LIMITED = { memoryBytes: 2 ** 26 }

/** Has the run directory be read-only for who comes from now on. Returns what undoes that. */
async function makeReadOnly(t: Test, here: Site): Promise<() => Promise<unknown>> {
  const { runDirectory } = here
  // What is read-only from the beginning nobody has opened for writing.
  const other = `${here.directory}/read-only`
  mkdirSync(other)
  await execa('mount', ['--bind', runDirectory, other])
  t.teardown(() => execaSync('umount', ['--lazy', other], { reject: false }))
  await execa('mount', ['-o', 'remount,bind,ro', other])
  await execa('mount', ['--bind', other, runDirectory])
  return () => execa('umount', ['--lazy', runDirectory])
}

/** For want of room, as the metrics have it. */
function countFailures(here: Site): number {
  const metrics = readFileSync(`${here.mountPoint}/metrics/procveil.prom`, 'utf8')
  return Number(/procveil_hook_failures_total{reason="space"} (\d+)/.exec(metrics)?.[1])
}

interface Refused {
  here: Site
  why: RegExp
  mend: () => unknown
}

/** A container that starts has the host's values, and gets its own when there is room. */
async function startsLate(t: Test, { here, why, mend }: Refused): Promise<void> {
  const late = await started(t, here, 'late', LIMITED)
  t.not(await readMemTotal(late), OWN_KIB, "it starts, with the host's values")
  const message = here
    .readLog()
    .split('\n')
    .findLast(line => line.includes('late'))
  t.match(message, "Cannot give late its files, and it sees the host's until procveil remount")
  t.match(message, here.runDirectory)
  t.match(message, why)
  const { text, advice } = await problemOf(t, here, 'run-directory')
  t.match(text, `${here.runDirectory} (`)
  t.match(`${advice}`, why)
  await mend()
  await follow(t, here, advice)
}

t.test('a container starts where there is no room', options, async t => {
  const here = site(t)
  await smallRunDirectory(t, here)
  const box = await started(t, here, 'box', LIMITED)
  const filler = new Filler(t, here.runDirectory)
  const why = /file system of .* is full: make room there/
  await startsLate(t, { here, why, mend: () => filler.stop() })
  t.ok(countFailures(here) >= 1, 'the metrics count it')
  await isWell(t, here, [box, await started(t, here, 'next', LIMITED)])
})

t.test('a container starts where nothing may be written', options, async t => {
  const here = site(t)
  await smallRunDirectory(t, here)
  const box = await started(t, here, 'box', LIMITED)
  const mend = await makeReadOnly(t, here)
  const why = /is read-only: have it mounted for writing/
  await startsLate(t, { here, why, mend })
  await isWell(t, here, [box])
})

/** So often a process of the service was started. */
const starts = (here: Site) => here.readLog().split('info: serves ').length - 1

interface Restarted {
  here: Site
  act: () => unknown
  mend: () => unknown
}

/** Containers keep their files, and no process is started again and again. */
async function goesOn(t: Test, { here, act, mend }: Restarted): Promise<void> {
  const box = await started(t, here, 'box', LIMITED)
  const before = starts(here)
  const [pid] = [here.find('serve')]
  await act()
  await retry(() => {
    const now = here.find('serve')
    if (now === undefined || now === pid) throw new Error('Cannot find another keeper')
  })
  for (let i = 0; i < 20; i++) {
    const seen = await readMemTotal(box)
    if (seen !== OWN_KIB) t.fail(`it sees ${seen}`)
    await sleep(100)
  }
  t.equal(starts(here), before + 1, 'one other keeper serves')
  t.match(await problemOf(t, here, 'run-directory'), { level: 'problem' })
  await mend()
  await retry(async () => {
    const { exitCode, stderr } = await here.toolkit('upgrade')
    if (exitCode !== 0) throw new Error(`Cannot upgrade: ${stderr}`)
  })
  await isWell(t, here, [box, await started(t, here, 'next', LIMITED)])
}

t.test('another keeper goes on where there is no room', options, async t => {
  const here = site(t)
  await smallRunDirectory(t, here)
  let filler: Filler | undefined
  const act = () => {
    filler = new Filler(t, here.runDirectory)
    t.ok(signal(here, 'serve', 'SIGKILL'))
  }
  await goesOn(t, { here, act, mend: () => filler?.stop() })
})

t.test('a service that is started again goes on where there is no room', options, async t => {
  const { here } = await manage(t, { prepare: here => smallRunDirectory(t, here) })
  let filler: Filler | undefined
  const act = () => {
    filler = new Filler(t, here.runDirectory)
    t.ok(killBoth(here))
  }
  await goesOn(t, { here, act, mend: () => filler?.stop() })
})

t.test('one that was stopped starts where there is no room', options, async t => {
  const here = site(t)
  await smallRunDirectory(t, here)
  const box = await started(t, here, 'box', LIMITED)
  const filler = new Filler(t, here.runDirectory)
  t.equal((await here.procveil(['stop'])).exitCode, 0)
  t.not(await readMemTotal(box), OWN_KIB, 'a stop takes the files out')
  const { exitCode, stderr } = await here.procveil(['remount', '--all', '--registered'])
  t.equal(exitCode, 0, stderr)
  filler.stop()
  // The service writes down who it is once there is room.
  await retry(async () => {
    const { exitCode: status, stderr: why } = await here.toolkit('upgrade')
    if (status !== 0) throw new Error(`Cannot upgrade: ${why}`)
  })
  await isWell(t, here, [box])
})
