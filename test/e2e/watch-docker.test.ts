/** Containers of Docker and podman that have no hook get their files as they start, and are forgotten when they are removed. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { makeRootfs } from '../kit/box.ts'
import { docker } from '../kit/docker.ts'
import { HOST_KIB, parseMemTotal } from '../kit/mem-total.ts'
import { needs, retry } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'
import { watching } from '../kit/watching.ts'

const MANY = 20

/** Not everywhere may limits be raised. */
const HERE = ['--ulimit=nofile=1000:1000', '--ulimit=nproc=1000:1000']

type Engine = (...args: string[]) => Promise<string>

function start(run: Engine, name: string, ...options: string[]): Promise<string> {
  const args = ['run', '--detach', '--network=none', '--name', name, '--memory=64m', ...options]
  return run(...args, 'busybox', 'sleep', '1000')
}

async function total(run: Engine, name: string): Promise<string> {
  return parseMemTotal(await run('exec', name, 'head', '-n', '1', '/proc/meminfo'))
}

const attached = (run: Engine, name: string) =>
  retry(async () => {
    const seen = await total(run, name)
    if (seen !== '65536') throw new Error(`Cannot find the files in ${name}: it sees ${seen}`)
  }, 20_000)

const registered = (here: Site, ids: readonly string[]) =>
  retry(() => {
    const wanted = ids.map(id => `${id}.json`).sort()
    const found = here.registered().sort()
    if (String(found) !== String(wanted)) throw new Error(`Cannot go on: there are ${found}`)
  }, 20_000)

t.test('docker', { ...needs('runc', 'dockerd', 'docker', 'tar'), timeout: 200_000 }, async t => {
  const here = site(t)
  const engine = await docker(t, here, { daemonArgs: ['--live-restore'] })
  const run: Engine = (...args) => engine.run(...args)
  await engine.importImage('busybox')
  const early = await start(run, 'early')
  t.equal(await total(run, 'early'), HOST_KIB)
  const watcher = await watching(t, here, engine.roots)
  await attached(run, 'early')

  const one = await start(run, 'one')
  await attached(run, 'one')
  await registered(here, [early, one])
  await run('restart', '--time=0', 'one')
  await attached(run, 'one')
  await run('rm', '--force', 'one', 'early')
  await registered(here, [])
  const before = { watches: watcher.watches(), descriptors: watcher.descriptors() }

  const names = Array.from({ length: MANY }, (_, i) => `many-${i}`)
  const ids = await Promise.all(names.map(name => start(run, name)))
  await Promise.all(names.map(name => attached(run, name)))
  await registered(here, ids)
  t.pass(`${MANY} at once`)
  await engine.restart()
  t.equal(await total(run, 'many-0'), '65536', 'also after the daemon was started again')
  const last = await start(run, 'last')
  await attached(run, 'last')
  t.comment(delays(here, await startTimes(run, [...names, 'last'])))
  await run('rm', '--force', ...names, 'last')
  await registered(here, [])
  t.equal(watcher.watches(), before.watches)
  t.ok(watcher.descriptors() <= before.descriptors + 9, 'three workers have three pipes each')
  t.match(here.readLog(), `forgotten ${last}`)
})

/** Of each container by its id, in milliseconds. */
async function startTimes(run: Engine, names: readonly string[]): Promise<Map<string, number>> {
  const format = '--format={{.ID}} {{.State.StartedAt}}'
  const lines = (await run('inspect', format, ...names)).split('\n')
  return new Map(
    lines.map(line => {
      const [id = '', time = ''] = line.split(' ')
      return [id, Date.parse(time.replace(/(\.\d{3})\d*Z/, '$1Z'))]
    }),
  )
}

/** How long after its start, as its runtime says, each container was reported to have its files. */
function delays(here: Site, starts: ReadonlyMap<string, number>): string {
  const times = [...here.readLog().matchAll(/^(\S+) watch\S+ info: attached (\S+)$/gm)].flatMap(
    ([, time = '', id = '']) => {
      const startMs = starts.get(id)
      return startMs === undefined ? [] : [Date.parse(time) - startMs]
    },
  )
  return `reported after ${times.join(' ')} ms`
}

t.test('podman', needs('podman', 'runc', 'tar', 'conmon'), async t => {
  const here = site(t)
  const run = await podman(t, here)
  await watching(t, here, [join(here.directory, 'state')])
  const one = await start(run, 'one', ...HERE)
  await attached(run, 'one')
  const two = await start(run, 'two', ...HERE, '--annotation=io.procveil.files=uptime')
  await registered(here, [one, two])
  t.equal(await total(run, 'two'), HOST_KIB, 'an annotation counts')
  await run('stop', '--time=0', 'one')
  await registered(here, [two])
  await run('start', 'one')
  await attached(run, 'one')
  await run('rm', '--force', '--time=0', 'one', 'two')
  await registered(here, [])
})

/** A podman of the test's own, with an image. */
async function podman(t: Test, here: Site): Promise<Engine> {
  const options = podmanOf(here)
  const run: Engine = async (...args) =>
    (await execa('podman', [...options, ...args], { stdin: 'ignore', timeout: 60_000 })).stdout
  t.teardown(async () => {
    await run('rm', '--all', '--force', '--time=0').catch(() => {})
    await run('rmi', '--all', '--force').catch(() => {})
  })
  const image = join(here.directory, 'image')
  makeRootfs(image)
  await execa('tar', ['-C', image, '-cf', `${image}.tar`, '.'])
  await run('import', `${image}.tar`, 'busybox')
  return run
}

/** Options of a podman of the test's own. When a container ends podman deletes it without the flags of its runtime. */
function podmanOf(here: Site): string[] {
  const at = (name: string) => join(here.directory, name)
  mkdirSync(at('state'))
  writeFileSync(at('runc'), `#!/bin/sh\nexec runc --root '${at('state')}' "$@"\n`, { mode: 0o755 })
  return [
    `--root=${at('graph')}`,
    `--runroot=${at('podman')}`,
    `--tmpdir=${at('libpod')}`,
    '--storage-driver=vfs',
    '--cgroup-manager=cgroupfs',
    '--events-backend=none',
    `--runtime=${at('runc')}`,
  ]
}
