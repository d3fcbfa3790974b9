/** What is done by workers, and what a hook does where nobody answers. */

import { readFileSync } from 'node:fs'
import { execa } from 'execa'
import t from 'tap'
import { box, started } from '../kit/box.ts'
import { needs, retry } from '../kit/requirements.ts'
import { signalAll } from '../kit/signal-all.ts'
import { site } from '../kit/site.ts'

const NOBODY = { id: 'x', status: 'creating', pid: process.pid, root: '/nowhere' }

t.test('a worker of the service does the work of hooks', needs('runc'), async t => {
  const here = site(t)
  const first = await started(t, here, 'worker-first', { memoryBytes: 2 ** 26 })
  t.match(await first.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  const second = await started(t, here, 'worker-second', { memoryBytes: 2 ** 27 })
  t.match(await second.cat('/proc/meminfo'), /^MemTotal: +131072 kB/)
  const pids = [...here.readLog().matchAll(/hook\[(\d+)\] info: bound/g)].map(([, pid]) =>
    Number(pid),
  )
  t.equal(pids.length, 2)
  t.ok(here.workers().includes(pids[1] ?? 0), 'no process of its own')

  const refused = await here.hook({ ...NOBODY, pid: undefined, status: 'running' }, '--strict')
  t.equal(refused.exitCode, 1)
  t.match(refused.stderr, /^procveil: Cannot /, 'what the worker said')

  t.equal((await here.procveil(['stop'])).exitCode, 0)
  await retry(() => {
    if (here.workers().length > 0) throw new Error('Cannot go on: a worker is left')
  })
})

t.test(
  'a hook to which the host looks otherwise does its work alone',
  needs('unshare'),
  async t => {
    const here = site(t)
    await here.hook(NOBODY)
    const input = JSON.stringify({ ...NOBODY, pid: undefined, status: 'stopped' })
    const command = [here.executable, ...here.options, 'hook', '--strict']
    const doneBy = () =>
      Number([...here.readLog().matchAll(/hook\[(\d+)\] info: forgot x$/gm)].at(-1)?.[1])
    const run = async (...within: string[]) => {
      const [program = '', ...args] = [...within, ...command]
      const { exitCode, stderr } = await execa(program, args, { input, reject: false })
      t.equal(exitCode, 0, stderr)
      return here.workers().includes(doneBy())
    }
    t.ok(await run(), 'here the worker does it')
    t.notOk(await run('unshare', '--mount'), 'in another mount namespace')
    t.notOk(await run('unshare', '--pid', '--fork'), 'in another pid namespace')
    const options = here.options.map(each => each.replace(/^\//, ''))
    const relative = [here.executable, ...options, 'hook', '--strict']
    const [program = '', ...args] = relative
    const { exitCode, stderr } = await execa(program, args, { input, reject: false, cwd: '/' })
    t.equal(exitCode, 0, stderr)
    t.notOk(here.workers().includes(doneBy()), 'with paths that depend on its working directory')
  },
)

t.test('devices that appear are seen', needs('runc', 'mknod'), async t => {
  const here = site(t)
  const made = await started(t, here, 'worker-devices')
  const [disk] = /^ +\d+ +\d+ sda .*$/m.exec(await made.cat('/proc/diskstats')) ?? []
  t.ok(disk, 'found when the container was made')
  const [, major, minor] = /^ +(\d+) +(\d+)/.exec(readFileSync('/proc/diskstats', 'utf8')) ?? []
  const node = `/proc/${await made.pid()}/root/dev/appeared`
  await execa('mknod', [node, 'b', `${major}`, `${minor}`])
  await retry(async () => {
    const seen = await made.cat('/proc/diskstats')
    if (!/ appeared /m.test(seen)) throw new Error(`Cannot see the device: ${seen}`)
  }, 15_000)
})

t.test('where the service was stopped, the container starts', needs('runc'), async t => {
  const here = site(t)
  await here.hook(NOBODY)
  const pids = [...here.servers(), ...here.workers()]
  t.teardown(() => signalAll(pids, 'SIGCONT'))
  signalAll(pids, 'SIGSTOP')
  const made = box(t, here, 'worker-stopped', { memoryBytes: 2 ** 26 })
  const before = performance.now()
  await made.start()
  const seconds = (performance.now() - before) / 1000
  t.ok(seconds < 20, `it took ${seconds} s`)
  t.match(here.readLog(), 'the container starts without them')
  signalAll(pids, 'SIGCONT')
  await retry(async () => {
    const { exitCode, stderr } = await here.toolkit('remount', '--all', '--registered')
    if (exitCode !== 0) throw new Error(stderr)
  }, 20_000)
})

t.test('what a hook has given up is not done later', async t => {
  const here = site(t)
  await here.hook(NOBODY)
  const keeper = here.find('serve')
  if (keeper === undefined) throw new Error('Cannot go on: there is no keeper')
  t.teardown(() => process.kill(keeper, 'SIGCONT'))
  process.kill(keeper, 'SIGSTOP')
  const ended = await here.hook({ ...NOBODY, pid: undefined, status: 'stopped' })
  t.equal(ended.exitCode, 0, ended.stderr)
  const forgotten = () => here.readLog().match(/ forgot x$/gm)?.length
  t.equal(forgotten(), 1, 'it has done the work by itself')
  process.kill(keeper, 'SIGCONT')
  // Of this one the keeper takes notice after what waited before.
  t.equal((await here.hook(NOBODY)).exitCode, 0)
  t.equal(forgotten(), 1)
})

t.test('a log that cannot be opened costs no container its start', async t => {
  const here = site(t)
  const command = [here.executable, ...here.options, '--log', '/proc/nowhere/log', 'hook']
  const ended = await execa('sh', ['-c', '"$@" </', 'sh', ...command], { reject: false })
  t.equal(ended.exitCode, 0)
  const [log = '', error = ''] = ended.stderr.split('\n')
  t.match(log, /^procveil: Cannot write the log \/proc\/nowhere\/log/)
  t.match(error, /^procveil: Cannot read the container state from stdin/)
})
