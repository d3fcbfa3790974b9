/** Docker with procveil-runtime: what `docker run` does with it that a runtime alone does not. */

import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { siteOf } from '../command/configure/site.ts'
import { docker } from '../kit/docker.ts'
import { needs, retry } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const CONFIG = 'etc/docker/daemon.json'
const PROGRAMS = ['runc', 'dockerd', 'docker', 'tar']
const TOTAL = ['head', '-n', '1', '/proc/meminfo']
const OWN = /^MemTotal: +65536 kB$/
const LIMITED = ['--network=none', '--memory=64m']

t.test('docker run --runtime procveil', needs(...PROGRAMS), async t => {
  const here = site(t)
  const engine = await docker(t, here)
  await engine.importImage('busybox')
  const run = (...args: string[]) => engine.run('run', '--runtime=procveil', ...LIMITED, ...args)

  t.match(await run('--rm', 'busybox', ...TOTAL), OWN, "the init's first instruction")
  t.match(await run('--rm', '--init', '--read-only', '--user=1000', 'busybox', ...TOTAL), OWN)
  t.match(await run('--rm', '--tty', 'busybox', ...TOTAL), /^MemTotal: +65536 kB\r?$/, '--tty')
  const others = await engine.run('run', '--rm', ...LIMITED, 'busybox', ...TOTAL)
  t.notMatch(others, OWN, 'a container of the default runtime is left alone')
  const failed = await run('--rm', 'busybox', 'sh', '-c', 'exit 7').catch(error => error)
  t.equal(failed.exitCode, 7)
  // Not every machine may give a container all capabilities.
  const privileged = (runtime: string) =>
    engine
      .run('run', '--rm', `--runtime=${runtime}`, '--privileged', ...LIMITED, 'busybox', ...TOTAL)
      .catch(error => String(error.stderr))
  const plain = await privileged('runc')
  t.match(await privileged('procveil'), plain.startsWith('MemTotal') ? OWN : plain, '--privileged')
  t.strictSame(here.registered(), [], 'all are forgotten')

  await run('--detach', '--name=one', 'busybox', 'sleep', '1000')
  t.match(await engine.run('exec', 'one', ...TOTAL), OWN, 'docker exec')
  await engine.run('update', '--memory=96m', '--memory-swap=-1', 'one')
  t.match(await engine.run('exec', 'one', ...TOTAL), /^MemTotal: +98304 kB$/, 'docker update')
  await engine.run('restart', '--time=0', 'one')
  t.match(await engine.run('exec', 'one', ...TOTAL), /^MemTotal: +98304 kB$/, 'docker restart')
  await engine.run('pause', 'one')
  await engine.run('unpause', 'one')
  await engine.run('stop', '--time=0', 'one')
  await engine.run('start', 'one')
  t.match(await engine.run('exec', 'one', ...TOTAL), /^MemTotal: +98304 kB$/, 'docker start')
  await engine.run('rm', '--force', 'one')
  t.strictSame(here.registered(), [])
})

t.test('as the default runtime, and back', needs(...PROGRAMS), async t => {
  const here = site(t)
  const engine = await docker(t, here)
  const configure = async (settings: unknown) => {
    const before = await engine.run('info', '--format={{json .Runtimes}}{{.DefaultRuntime}}')
    writeFileSync(engine.config, JSON.stringify(settings))
    engine.reload()
    await retry(async () => {
      const now = await engine.run('info', '--format={{json .Runtimes}}{{.DefaultRuntime}}')
      if (now === before) throw new Error('Cannot go on: dockerd has not read its configuration')
    })
  }
  await engine.importImage('busybox')
  await configure({ runtimes: { veiled: { path: engine.runtime } }, 'default-runtime': 'veiled' })
  t.match(await engine.run('run', '--rm', ...LIMITED, 'busybox', ...TOTAL), OWN)
  const withArgs = { path: engine.runtime, runtimeArgs: ['--debug', '--log-format=json'] }
  await configure({ runtimes: { veiled: withArgs }, 'default-runtime': 'veiled' })
  t.match(await engine.run('run', '--rm', ...LIMITED, 'busybox', ...TOTAL), OWN, 'with arguments')
  const plain = ['run', '--rm', '--runtime=runc', ...LIMITED, 'busybox', ...TOTAL]
  t.notMatch(await engine.run(...plain), OWN, '--runtime runc is the way out for one container')
  await engine.run('create', '--name=old', ...LIMITED, 'busybox', 'sleep', '1000')

  // What is not named any more stays as it is until a restart.
  const back = { 'default-runtime': 'runc' }
  await configure({ ...back, runtimes: { other: { path: 'runc' } } })
  t.notMatch(await engine.run('run', '--rm', ...LIMITED, 'busybox', ...TOTAL), OWN)
  await t.rejects(
    engine.run('start', 'old'),
    { message: /[Rr]untime.* veiled/ },
    'it keeps its runtime',
  )
  await configure({ ...back, runtimes: { veiled: { path: 'runc' } } })
  await engine.run('start', 'old')
  t.notMatch(await engine.run('exec', 'old', ...TOTAL), OWN, 'which may be runc itself')
})

t.test('what an undo leaves lets containers start again', needs(...PROGRAMS), async t => {
  const here = site(t)
  const engine = await docker(t, here)
  await engine.importImage('busybox')
  const sleeping = ['--runtime=procveil', ...LIMITED, 'busybox', 'sleep', '1000']
  await engine.run('create', '--name=old', ...sleeping)
  const machine = siteOf(t, { [CONFIG]: '{}' })
  machine.host.link({ 'var/lib/docker': `${here.directory}/docker/data` })
  machine.configure('docker', { setAsDefault: true })
  t.match(machine.configure('docker', { undo: true }), /for 1 container .* \(old\)/)

  writeFileSync(engine.config, '{}')
  await engine.restart()
  await t.rejects(engine.run('start', 'old'), { message: /[Rr]untime.* procveil/ })
  writeFileSync(engine.config, machine.host.read(CONFIG))
  await engine.restart()
  await engine.run('start', 'old')
  t.notMatch(await engine.run('exec', 'old', ...TOTAL), OWN)
  await engine.run('rm', '--force', 'old')
  machine.configure('docker', { undo: true })
  t.equal(machine.host.read(CONFIG), '{}')
})

t.test('what goes wrong is seen as without us', needs(...PROGRAMS), async t => {
  const here = site(t)
  const engine = await docker(t, here)
  await engine.importImage('busybox')
  const missing = (runtime: string) =>
    engine
      .run('run', '--rm', `--runtime=${runtime}`, '--network=none', 'busybox', 'missing')
      .catch(error => String(error.stderr).replace(/^docker: /, ''))
  const plain = await missing('runc')
  t.match(plain, /exec: "missing": executable file not found/)
  t.equal(await missing('procveil'), plain)

  const text = readFileSync(engine.runtime, 'utf8')
  writeFileSync(engine.runtime, text.replace(/^pv_procveil=.*$/m, 'pv_procveil=/gone/procveil'))
  t.equal(await missing('procveil'), plain, 'also where a warning stands before it in the log')
  const run = ['run', '--runtime=procveil', ...LIMITED]
  t.notMatch(await engine.run(...run, '--rm', 'busybox', ...TOTAL), OWN)
  writeFileSync(engine.runtime, text)
  await engine.run(...run, '--detach', '--name=one', 'busybox', 'sleep', '1000')
  t.match(await engine.run('exec', 'one', ...TOTAL), OWN)
  writeFileSync(engine.runtime, text.replace(/^pv_procveil=.*$/m, 'pv_procveil=/gone/procveil'))
  await engine.run('restart', '--time=0', 'one')
  t.notMatch(await engine.run('exec', 'one', ...TOTAL), OWN, 'a container starts again without')
})
