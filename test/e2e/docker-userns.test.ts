/** Containers of a Docker that makes their root an ordinary user of the host: `--userns-remap`. */

import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { docker } from '../kit/docker.ts'
import { BOUND, MOUNTED } from '../kit/files.ts'
import { HOST_KIB, parseMemTotal } from '../kit/mem-total.ts'
import { needs } from '../kit/requirements.ts'
import { type Site, site } from '../kit/site.ts'

/** Debian and Fedora have a user and a group of this name. */
const USER = 'daemon'
/** subuid(5), subgid(5); two numbers, so that neither is taken for the other. */
const SUBORDINATE_IDS = { '/etc/subuid': 200_000, '/etc/subgid': 300_000 }
const COUNT = 65_536

const readSubordinateIds = () =>
  Object.keys(SUBORDINATE_IDS).map(path => readFileSync(path, 'utf8'))

/** What runs a command that finds subordinate ids of the user: in a mount namespace, so that no file changes. */
function withSubordinateIds(here: Site): string[] {
  const binds = Object.entries(SUBORDINATE_IDS).map(([path, first]) => {
    const file = join(here.directory, String(first))
    writeFileSync(file, `${USER}:${first}:${COUNT}\n`)
    return `mount --bind ${file} ${path}`
  })
  return ['unshare', '--mount', 'sh', '-c', [...binds, 'exec "$@"'].join(' && '), 'sh']
}

t.test('docker with userns-remap', needs('runc', 'dockerd', 'docker', 'tar'), async t => {
  const before = readSubordinateIds()
  const here = site(t)
  // The daemon wants the root of its containers to be able to reach them.
  chmodSync(here.directory, 0o711)
  const daemonArgs = [`--userns-remap=${USER}:${USER}`]
  const engine = await docker(t, here, { daemonArgs, within: withSubordinateIds(here) })
  await engine.importImage('busybox')
  const run = ['run', '--detach', '--network=none', '--name=remapped', '--memory=64m']
  const id = await engine.run(...run, 'busybox', 'sleep', '1000')
  const pid = await engine.run('inspect', '--format={{.State.Pid}}', id)
  const sh = (command: string) => engine.run('exec', id, 'sh', '-c', command)
  const total = async () => parseMemTotal(await sh('head -n 1 /proc/meminfo'))
  const unreadable = () =>
    sh(`for file in ${BOUND.join(' ')}; do cat $file > /dev/null 2>&1 || echo $file; done`)
  const toolkit = (...args: string[]) => here.toolkit(...args, ...engine.roots)

  t.match(await sh('id -u; cat /proc/self/uid_map'), /^0\n +0 +200000 +65536$/, 'root is remapped')
  t.match(await sh('id -g; cat /proc/self/gid_map'), /^0\n +0 +300000 +65536$/)
  t.equal(await total(), HOST_KIB)
  const unreadableBefore = await unreadable()

  const attached = await toolkit('remount', '-c', 'remapped')
  t.equal(attached.stdout, '1 attached', `by name: ${attached.stderr}`)
  t.strictSame(here.registered(), [`${id}.json`])
  t.equal(await total(), '65536')
  t.equal(await sh('grep -c " fuse.lxcfs " /proc/mounts'), String(MOUNTED.length))
  t.equal(await unreadable(), unreadableBefore, 'it may read what it could')
  await engine.run('update', '--memory=80m', id)
  t.equal(await total(), '81920', 'docker update shows')

  const detached = await toolkit('umount', '-c', 'remapped')
  t.equal(detached.stdout, '1 detached', detached.stderr)
  t.equal(await total(), HOST_KIB)
  t.equal((await toolkit('remount', '--all')).stdout, '1 attached', 'once, whoever knows it')
  t.equal(await total(), '81920')
  t.equal((await toolkit('umount', '--all')).stdout, '1 detached')
  t.equal(await total(), HOST_KIB)
  t.notMatch(await sh('cat /proc/mounts'), 'lxcfs')

  await engine.remove()
  t.notOk(existsSync(`/proc/${pid}`), 'the container is gone')
  t.strictSame(engine.processes(), [])
  t.strictSame(engine.traces(), [])
  t.strictSame(here.hostMounts(), [here.mountPoint])
  t.strictSame(readSubordinateIds(), before)
})
