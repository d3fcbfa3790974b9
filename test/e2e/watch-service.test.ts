/** The service watches by itself where its configuration says so. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { type Box, box } from '../kit/box.ts'
import { readMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { COVERS, type Site, site } from '../kit/site.ts'
import { countSleeps } from '../kit/sleeps.ts'

const REST_MS = 3000

/** A service that sees this site's runc in the usual place of runc, and no other runtime. */
async function service(t: Test, here: Site, config: object): Promise<void> {
  const file = join(here.directory, 'config.json')
  writeFileSync(file, JSON.stringify(config))
  const root = join(here.directory, 'runc')
  mkdirSync(root, { recursive: true })
  const script = [...COVERS, 'mkdir /run/runc', `mount --bind ${root} /run/runc`, 'exec "$@"']
  const command = [here.executable, ...here.options, '--config', file, 'serve']
  const args = ['--mount', 'sh', '-c', script.join(' && '), 'sh', ...command]
  const options = { reject: false, stdin: 'ignore', stderr: 'inherit' } as const
  const env = { BUN_GC_TIMER_DISABLE: '1' }
  const serving = execa('unshare', args, { ...options, env })
  t.teardown(async () => {
    await here.procveil(['stop'])
    await serving
  })
  await until('it serves', () => here.find('server') !== undefined && /serves/.test(here.readLog()))
}

const until = (what: string, isSo: () => boolean, timeoutMs?: number) =>
  retry(() => {
    if (!isSo()) throw new Error(`Cannot go on before ${what}`)
  }, timeoutMs)

const watchers = (here: Site) =>
  here
    .processes()
    .filter(({ args }) => args.includes('watch'))
    .map(({ pid }) => pid)

const watched = (here: Site) => here.readLog().match(/watch\S+ info: watches/g)?.length ?? 0

const attached = (made: Box) =>
  retry(async () => {
    const seen = await readMemTotal(made)
    if (seen !== '65536') throw new Error(`Cannot find the files in ${made.id}: it sees ${seen}`)
  })

t.test('a service that watches', { ...needs('runc'), timeout: 120_000 }, async t => {
  const here = site(t)
  await service(t, here, { watch: 'on' })
  await until('it watches', () => watched(here) === 1)
  const start = async (id: string) => {
    const made = box(t, here, id, { stages: [], memoryBytes: 2 ** 26 })
    await made.start()
    await attached(made)
    return made
  }
  const first = await start('service-one')
  await first.remove()
  await until('it is forgotten', () => here.registered().length === 0)

  t.test('the watching process is started again', async t => {
    const [pid = 0] = watchers(here)
    process.kill(pid, 'SIGKILL')
    await until('it watches again', () => watched(here) === 2)
    t.not(watchers(here)[0], pid)
    await start('service-two')
  })

  t.test('it ends with its keeper, and another keeper has another one', async () => {
    const before = watchers(here)
    process.kill(here.find('serve') ?? 0, 'SIGKILL')
    await until('it watches again', () => watched(here) === 3)
    await until('one is left', () => watchers(here).length === 1 && watchers(here)[0] !== before[0])
    await start('service-three')
  })

  t.test('an upgrade starts another one', async t => {
    const upgraded = await here.procveil(['upgrade'])
    t.equal(upgraded.exitCode, 0, upgraded.stderr)
    await until('it watches again', () => watched(here) === 4)
    await until('one is left', () => watchers(here).length === 1)
    await start('service-four')
  })

  t.test('nothing runs while nothing happens', async t => {
    const [pid = 0] = watchers(here)
    await retry(async () => {
      const before = countSleeps(pid)
      await new Promise(resolve => setTimeout(resolve, REST_MS))
      const woken = countSleeps(pid) - before
      if (woken > 0) throw new Error(`Cannot rest: it woke up ${woken} times`)
    }, 30_000)
    t.pass()
  })

  t.test('it ends with the service', async t => {
    t.equal((await here.procveil(['stop'])).exitCode, 0)
    await until('none is left', () => watchers(here).length === 0)
  })
})

t.test('a service that was not told to', needs('runc'), async t => {
  const here = site(t)
  await service(t, here, {})
  t.strictSame(watchers(here), [])
  await here.procveil(['stop'])
  t.equal(watched(here), 0)
})
