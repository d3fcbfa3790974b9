/** What is left when the server was killed, and how the next hook mends it. */

import t from 'tap'
import { started } from './box.ts'
import { needs, retry } from './requirements.ts'
import { site } from './site.ts'

t.test('after the server was killed the next hook starts a fresh one', needs('runc'), async t => {
  const here = site(t)
  const first = await started(t, here, 'first', { memoryBytes: 2 ** 26 })
  for (const pid of here.servers()) process.kill(pid, 'SIGKILL')
  await retry(() => {
    if (here.servers().length > 0) throw new Error('Cannot go on: a server is left')
  })
  t.match(await first.sh('cat /proc/meminfo 2>&1; true'), 'not connected')

  const second = await started(t, here, 'second', { memoryBytes: 2 ** 27 })
  t.match(await second.cat('/proc/meminfo'), /^MemTotal: +131072 kB/)
  t.strictSame(here.hostMounts(), [here.mountPoint], 'the dead mount is gone')
  t.equal(here.servers().length, 2)

  t.test('a hook for the first one binds anew', async t => {
    const state = { id: 'first', status: 'running', pid: await first.pid(), bundle: first.bundle }
    t.equal((await here.hook(state, '--strict')).exitCode, 0)
    t.match(await first.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
    t.equal((await first.sh('mount | grep lxcfs')).split('\n').length, 9, 'no dead binds below')
  })
})

t.test('SIGTERM takes the mount away', needs(), async t => {
  const here = site(t)
  const serve = here.procveil(['serve'])
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
