/** The processes of the service have no descriptors left. */

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import t from 'tap'
import { started } from '../kit/box.ts'
import { follow, isWell, problemOf } from '../kit/doctor.ts'
import { readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { UNHURRIED } from './load.ts'

const options = { ...needs('runc', 'prlimit'), ...UNHURRIED }
const OWN_KIB = String(64 * 1024)
const LIMITED = { memoryBytes: 2 ** 26 }

const pidOf = (here: Site, command: 'serve' | 'server') => Number(here.find(command))

/** Lowers the soft limit alone: without CAP_SYS_RESOURCE nobody raises the hard one again. */
async function limit(pid: number, files: number): Promise<void> {
  await execa('prlimit', ['--pid', String(pid), `--nofile=${files}:`])
}

const countFailures = (here: Site) => {
  const metrics = readFileSync(`${here.mountPoint}/metrics/procveil.prom`, 'utf8')
  return Number(/procveil_hook_failures_total{reason="descriptors"} (\d+)/.exec(metrics)?.[1])
}

t.test('a server has none at all', options, async t => {
  const here = site(t)
  const box = await started(t, here, 'box', LIMITED)
  await limit(pidOf(here, 'server'), 4)
  const late = await started(t, here, 'late', LIMITED)
  t.not(await readMemTotal(late), OWN_KIB, "it starts, with the host's values")
  const message = here
    .readLog()
    .split('\n')
    .findLast(line => line.includes('give late its files'))
  t.match(message, 'procveil remount --all: ENFILE')
  t.match(message, 'the service, or the host, has as many files open as it may')
  t.notMatch(here.readLog(), 'another lxcfs')
  t.ok(countFailures(here) >= 1, 'the metrics count it')
  const { text, advice } = await problemOf(t, here, 'descriptors')
  t.match(text, `the server, process ${pidOf(here, 'server')}, has`)
  await follow(t, here, advice)
  await isWell(t, here, [box, late, await started(t, here, 'next', LIMITED)])
})

t.test('neither process has any', options, async t => {
  const here = site(t)
  const box = await started(t, here, 'box', LIMITED)
  for (const command of ['serve', 'server'] as const) await limit(pidOf(here, command), 4)
  const late = await started(t, here, 'late', LIMITED)
  const { advice } = await problemOf(t, here, 'descriptors')
  await follow(t, here, advice)
  await isWell(t, here, [box, late])
})

t.test('what is bound for want of descriptors is taken out again', options, async t => {
  const here = site(t)
  const service = execa('prlimit', [
    '--nofile=32:32',
    here.executable,
    ...[...here.options, 'serve'],
  ])
  service.catch(() => {})
  await retry(() => {
    if (here.servers().length !== 2) throw new Error('Cannot find keeper and server')
  })
  await retry(() => readFileSync(`${here.runDirectory}/service.json`))
  const late = await started(t, here, 'late', LIMITED)
  t.match(here.readLog(), /Cannot give late its files.*EMFILE; .* procveil doctor says what to do/)
  t.notMatch(await late.cat('/proc/self/mountinfo'), 'lxcfs', 'none is left')
})
