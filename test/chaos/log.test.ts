/** The log cannot be written: that costs no container its view, and the service nothing. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { execa, execaSync } from 'execa'
import t, { type Test } from 'tap'
import { started } from '../kit/box.ts'
import { isWell, problemOf } from '../kit/doctor.ts'
import { readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc'), ...UNHURRIED }
const OWN_KIB = String(64 * 1024)

/** A site whose log lies in a directory that is a file system of its own. */
async function withLogIn(t: Test, mountOptions: string): Promise<{ here: Site; logs: string }> {
  const here = site(t)
  const logs = `${here.directory}/logs`
  mkdirSync(logs)
  await execa('mount', ['-t', 'tmpfs', '-o', mountOptions, 'tmpfs', logs])
  t.teardown(() => execaSync('umount', ['--lazy', logs], { reject: false }))
  Object.defineProperty(here, 'log', { value: `${logs}/log` })
  return { here, logs }
}

/** What a hook says that finds nothing to do. */
async function hookSays(here: Site): Promise<string[]> {
  const { stderr } = await here.hook({ id: 'gone', status: 'stopped' })
  return stderr.split('\n').filter(line => line.includes('the log'))
}

interface Broken {
  here: Site
  /** What the messages say. */
  says: RegExp
  mend: () => unknown
}

async function survives(t: Test, { here, says, mend }: Broken): Promise<void> {
  const box = await started(t, here, 'box', { memoryBytes: 2 ** 26 })
  t.equal(await readMemTotal(box), OWN_KIB, 'it has its view')
  const said = await hookSays(here)
  t.equal(said.length, 1, 'the hook says once that there is no log')
  t.match(said[0], says)
  const remounted = await here.toolkit('remount', '--all', '--registered')
  t.equal(remounted.exitCode, 0)
  t.equal(remounted.stderr.split('Cannot write the log').length - 1, 1, remounted.stderr)
  const { text, advice } = await problemOf(t, here, 'log')
  t.match(text, here.log)
  t.match(`${advice}`, says)
  await mend()
  await isWell(t, here, [box, await started(t, here, 'next', { memoryBytes: 2 ** 26 })])
  t.match(readFileSync(here.log, 'utf8'), /bound .* into next/)
}

t.test('its file system is read-only', options, async t => {
  const { here, logs } = await withLogIn(t, 'ro')
  const mend = () => execa('mount', ['-o', 'remount,rw', logs])
  await survives(t, { here, says: /file system of .* is read-only: have it mounted/, mend })
})

t.test('its file system is full', options, async t => {
  const { here, logs } = await withLogIn(t, 'size=64k')
  writeFileSync(here.log, '')
  try {
    writeFileSync(`${logs}/ballast`, Buffer.alloc(2 ** 17))
  } catch {}
  const mend = () => rmSync(`${logs}/ballast`)
  await survives(t, { here, says: /file system of .* is full: make room there/, mend })
})

t.test('it is a directory', options, async t => {
  const here = site(t)
  mkdirSync(here.log)
  const mend = () => rmSync(here.log, { recursive: true })
  await survives(t, { here, says: /is a directory: remove it/, mend })
})

t.test('a service in the foreground starts', options, async t => {
  const { here } = await withLogIn(t, 'ro')
  const service = execa(here.executable, [...here.options, 'serve'], {
    stdin: 'ignore',
    reject: false,
  })
  await retry(() => {
    if (here.servers().length !== 2) throw new Error('Cannot find keeper and server')
  })
  const { exitCode } = await here.toolkit('check-lxcfs')
  t.equal(exitCode, 0)
  service.kill('SIGTERM')
  const { stderr, exitCode: status } = await service
  t.equal(status, 0)
  t.match(stderr, /Cannot write the log .*: EROFS; .*read-only/)
})
