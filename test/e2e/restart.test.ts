/** What is left when the server was killed, and how the next hook mends it. */

import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { started } from '../kit/box.ts'
import { MOUNTED } from '../kit/files.ts'
import { EXECUTABLE, needs, retry } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

t.test('after the server was killed the next hook starts a fresh one', needs('runc'), async t => {
  const here = site(t)
  const first = await started(t, here, 'first', { memoryBytes: 2 ** 26 })
  await here.killServers()
  t.match(await first.sh('cat /proc/meminfo 2>&1; true'), 'not connected')

  const second = await started(t, here, 'second', { memoryBytes: 2 ** 27 })
  t.match(await second.cat('/proc/meminfo'), /^MemTotal: +131072 kB/)
  t.strictSame(here.hostMounts(), [here.mountPoint], 'the dead mount is gone')
  t.equal(here.servers().length, 2)

  t.test('a hook for the first one binds anew', async t => {
    const state = { id: 'first', status: 'running', pid: await first.pid(), bundle: first.bundle }
    t.equal((await here.hook(state, '--strict')).exitCode, 0)
    t.match(await first.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
    t.equal(
      (await first.sh('mount | grep lxcfs')).split('\n').length,
      MOUNTED.length,
      'no dead binds below',
    )
  })
})

t.test('a mount that was looked at and then died is still known to be dead', needs(), async t => {
  const here = site(t)
  const state = { id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' }
  await here.hook(state)
  statSync(here.mountPoint)
  await here.killServers()
  await here.hook(state)
  t.notMatch(here.readLog(), 'another lxcfs')
  t.equal(here.servers().length, 2)
})

t.test('a server leaves the mount of another alone', needs(), async t => {
  const here = site(t)
  await here.hook({ id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' })
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  const other = ['--mountpoint', here.mountPoint, '--run-dir', `${here.directory}/other`, 'serve']
  const { exitCode, stderr } = await execa(EXECUTABLE, other, { reject: false, timeout: 20_000 })
  t.equal(exitCode, 1)
  t.match(stderr, /another lxcfs is mounted there/)
  t.equal(readFileSync('/proc/self/mountinfo', 'utf8'), mounts)
  t.equal(here.servers().length, 2)
})

t.test('SIGTERM takes the mount away', needs(), async t => {
  const here = site(t)
  // A path may be written in many ways.
  const options = ['--run-dir', `${here.runDirectory}/`, '--log', here.log]
  const mountPoint = `${here.directory}/../${basename(here.directory)}/mount/`
  const serve = execa(EXECUTABLE, ['--mountpoint', mountPoint, ...options, 'serve'])
  await retry(() => {
    if (here.hostMounts().length === 0) throw new Error('Cannot go on: nothing is mounted')
    if (!here.readLog().includes('serves')) throw new Error('Cannot go on: it is not ready')
  })
  const second = await here.procveil(['serve'])
  t.equal(second.exitCode, 1, 'two servers in one run directory')
  t.match(second.stderr, /another procveil serves from/)
  serve.kill('SIGTERM')
  t.equal((await serve).exitCode, 0)
  t.strictSame(here.hostMounts(), [])
  await retry(() => {
    if (here.servers().length > 0) throw new Error('Cannot go on: a server is left')
  })
})
