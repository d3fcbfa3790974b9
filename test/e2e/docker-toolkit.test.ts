/** Containers that Docker started without any hook. */

import t from 'tap'
import { type Docker, docker } from '../kit/docker.ts'
import { HOST_KIB, parseMemTotal } from '../kit/mem-total.ts'
import { needs } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

const toolkit = (here: Site, engine: Docker, command: string, ...args: string[]) =>
  here.toolkit(command, ...engine.roots, ...args)

function start(engine: Docker, name: string, ...options: string[]): Promise<string> {
  const run = ['run', '--detach', '--network=none', '--name', name, ...options]
  return engine.run(...run, 'busybox', 'sleep', '1000')
}

async function total(engine: Docker, name: string): Promise<string> {
  const text = await engine.run('exec', name, 'head', '-n', '1', '/proc/meminfo')
  return parseMemTotal(text)
}

t.test('docker without a hook', needs('runc', 'dockerd', 'docker', 'tar'), async t => {
  const here = site(t)
  const engine = await docker(t, here)
  await engine.importImage('busybox')
  await start(engine, 'plain', '--memory=64m')
  await start(engine, 'readonly', '--memory=96m', '--read-only')
  await start(engine, 'hostpid', '--memory=128m', '--pid=host')
  await start(engine, 'joined', '--memory=160m', '--pid=container:plain')
  const names = ['plain', 'readonly', 'hostpid', 'joined']
  const totals = () => Promise.all(names.map(name => total(engine, name)))
  t.strictSame(await totals(), [HOST_KIB, HOST_KIB, HOST_KIB, HOST_KIB])

  const attached = await toolkit(here, engine, 'remount', '--all')
  t.equal(attached.stdout, '4 attached', attached.stderr)
  t.strictSame(await totals(), ['65536', '98304', '131072', '163840'])
  await engine.run('update', '--memory=80m', 'plain')
  t.equal(await total(engine, 'plain'), '81920', 'docker update shows')

  t.equal((await toolkit(here, engine, 'umount', '-c', 'readonly')).stdout, '1 detached', 'by name')
  t.strictSame(await totals(), ['81920', HOST_KIB, '131072', '163840'])
  t.equal((await toolkit(here, engine, 'umount', '--all')).stdout, '4 detached')
  t.strictSame(await totals(), [HOST_KIB, HOST_KIB, HOST_KIB, HOST_KIB])

  t.test('a file at the top of the mount, as for lxcfs', async t => {
    const bind = `${here.mountPoint}/proc/meminfo:/proc/meminfo:ro`
    await start(engine, 'volume', '--memory=48m', '--volume', bind)
    t.equal(await total(engine, 'volume'), '49152')
  })
})
