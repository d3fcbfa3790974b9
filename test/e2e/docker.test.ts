/** Docker's containers, by a runtime that adds our hook, follow `docker update`. */

import { existsSync } from 'node:fs'
import t from 'tap'
import { type Docker, docker } from '../kit/docker.ts'
import { MOUNTED } from '../kit/files.ts'
import { needs } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const PROGRAMS = ['runc', 'dockerd', 'docker', 'tar']

t.test('docker run and docker update', needs(...PROGRAMS), async t => {
  const here = site(t)
  const engine = await docker(t, here)
  await engine.importImage('busybox')
  const id = await runBusybox(engine, '--memory=256m', '--cpus=1')
  const sh = (command: string) => engine.run('exec', id, 'sh', '-c', command)
  const total = () => sh('head -n 1 /proc/meminfo')
  /** In stat, cpuinfo and online. */
  const cpus = () =>
    sh(
      'grep -c ^cpu[0-9] /proc/stat; grep -c ^processor /proc/cpuinfo; cat /sys/devices/system/cpu/online',
    )

  t.match(await total(), /^MemTotal: +262144 kB$/, '--memory 256m')
  t.equal(await cpus(), '1\n1\n0', '--cpus 1')
  t.equal((await sh('mount | grep lxcfs')).split('\n').length, MOUNTED.length)
  t.strictSame(here.registered(), [`${id}.json`])

  await engine.run('update', '--cpus=2', id)
  t.equal(await cpus(), '2\n2\n0-1', 'docker update --cpus 2')
  await engine.run('update', '--cpus=1.5', id)
  t.equal(await cpus(), '2\n2\n0-1', 'one and a half are two')
  await engine.run('update', '--cpuset-cpus=1', id)
  t.equal(await cpus(), '1\n1\n0', 'docker update --cpuset-cpus 1')
  await engine.run('update', '--memory=128m', id)
  t.match(await total(), /^MemTotal: +131072 kB$/, 'docker update --memory 128m')

  await engine.run('restart', '--time=0', id)
  t.match(await total(), /^MemTotal: +131072 kB$/, 'also after docker restart')
  t.equal(await cpus(), '1\n1\n0')
  t.match(await sh('cat /proc/uptime'), /^\d\d?\.\d\d /, 'which began anew')

  await engine.run('rm', '--force', id)
  t.strictSame(here.registered(), [], 'what was removed is forgotten')
  t.strictSame(
    here.hostMounts().filter(path => path.includes(id)),
    [],
  )
})

t.test('nothing is left', needs(...PROGRAMS), async t => {
  for (const crashes of [false, true]) {
    t.test(crashes ? 'when the daemon was killed' : 'when the test ends', async t => {
      const here = site(t)
      const engine = await docker(t, here)
      await engine.importImage('busybox')
      const id = await runBusybox(engine)
      const pid = await engine.run('inspect', '--format={{.State.Pid}}', id)
      t.ok(existsSync(`/proc/${pid}`), 'it runs')
      t.ok(engine.traces().length > 0, `in ${engine.traces()}`)
      if (crashes) await engine.crash()
      t.ok(engine.processes().length > 0)

      await engine.remove()
      t.notOk(existsSync(`/proc/${pid}`), 'the container is gone')
      t.strictSame(engine.processes(), [], 'so are the daemons')
      t.strictSame(engine.traces(), [], 'and the cgroups')
    })
  }
})

function runBusybox(engine: Docker, ...limits: string[]): Promise<string> {
  const options = ['--detach', '--runtime=procveil', '--network=none', ...limits]
  return engine.run('run', ...options, 'busybox', 'sleep', '1000')
}
