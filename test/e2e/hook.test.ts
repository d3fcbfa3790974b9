/** The hook by itself: by hand, twice, and with input that is none. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { box, started } from '../kit/box.ts'
import { BOUND, MOUNTED } from '../kit/files.ts'
import { needs, retry } from '../kit/requirements.ts'
import { site } from '../kit/site.ts'

const IN_PROC = BOUND.filter(path => path.startsWith('/proc/')).length

t.test('the hook run by hand on a running container', needs('runc'), async t => {
  const here = site(t)
  const bare = await started(t, here, 'bare', { stages: [], memoryBytes: 2 ** 26 })
  t.notMatch(await bare.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  const state = {
    ociVersion: '1.0.2',
    id: 'bare',
    status: 'creating',
    pid: await bare.pid(),
    bundle: bare.bundle,
  }
  const { exitCode, stdout, stderr } = await here.hook(state, '--strict')
  t.strictSame({ exitCode, stdout, stderr }, { exitCode: 0, stdout: '', stderr: '' })
  t.match(await bare.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)

  t.test('a registration that was lost fits again', async t => {
    await here.hook({ id: 'bare', status: 'stopped' })
    t.strictSame(here.registered(), [])
    t.equal((await here.hook(state, '--strict')).exitCode, 0)
    t.match(await bare.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  })

  t.test('many at once do what one does', async t => {
    const all = await Promise.all(Array.from({ length: 6 }, () => here.hook(state, '--strict')))
    t.strictSame(
      all.map(({ exitCode, stderr }) => stderr + exitCode),
      Array(6).fill('0'),
    )
    t.strictSame(here.registered(), ['bare.json'])
    t.equal((await bare.sh('mount | grep lxcfs')).split('\n').length, MOUNTED.length)
  })

  t.test('a second time changes nothing', async t => {
    const mounts = await bare.cat('/proc/self/mountinfo')
    const again = await here.hook(state, '--strict')
    t.equal(again.exitCode, 0)
    t.equal(await bare.cat('/proc/self/mountinfo'), mounts)
    t.match(here.readLog(), /bound none into bare; there already: proc\/cpuinfo /)
  })
})

t.test('a container that opts out is left alone by the hook', needs('runc'), async t => {
  const here = site(t)
  const annotations = { 'io.procveil.enabled': 'off' }
  const out = await started(t, here, 'out', { memoryBytes: 2 ** 26, annotations })
  t.notMatch(await out.cat('/proc/meminfo'), /^MemTotal: +65536 kB/)
  t.match(here.readLog(), /info: left out alone: its annotations say so/)
  t.strictSame(here.registered(), [])
})

t.test(
  'a container that is started again leaves nothing of the start before',
  needs('runc'),
  async t => {
    const here = site(t)
    const left = () => ['slots', 'devices'].map(name => readdirSync(join(here.runDirectory, name)))
    for (const id of ['first', 'second']) {
      const start = await started(t, here, id, { stages: [] })
      const pid = await start.pid()
      const state = { ociVersion: '1.0.2', id: 'again', status: 'creating', pid }
      await here.hook({ ...state, bundle: start.bundle }, '--strict')
      await start.cat('/proc/stat')
      const [slots, devices] = left()
      t.match([slots?.length, devices?.length], [1, 1], id)
    }
  },
)

t.test('prestart and createRuntime may both be set up', needs('runc'), async t => {
  const here = site(t)
  const twice = await started(t, here, 'twice', { stages: ['prestart', 'createRuntime'] })
  const mounts = await twice.sh('mount | grep lxcfs')
  t.equal(mounts.split('\n').length, MOUNTED.length)
})

t.test('a container without /sys gets the files of /proc', needs('runc'), async t => {
  const here = site(t)
  const odd = await started(t, here, 'odd', { withoutSys: true, hookArgs: ['--strict'] })
  t.equal((await odd.sh('mount | grep lxcfs')).split('\n').length, IN_PROC)
  t.match(here.readLog(), /no place: .*sys\/devices\/system\/cpu\/online/)
})

t.test('a process whose root is the host is no container', needs('unshare'), async t => {
  const here = site(t)
  const other = execa('unshare', ['--mount', 'sleep', '100'], { reject: false })
  t.teardown(() => other.kill('SIGKILL'))
  const pid = other.pid ?? 0
  await retry(() => {
    if (!readlinkSync(`/proc/${pid}/exe`).includes('sleep')) throw new Error('Cannot go on')
  })
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
  const state = { id: 'other', status: 'creating', pid, root: '/nowhere' }
  const evil = { 'io.procveil.a\x1b[2J\nprocveil: forged': 'b\x1b]0;c\x07' }
  const refused = await here.hook({ ...state, annotations: evil })
  for (const text of [refused.stderr, here.readLog()]) {
    t.match(text, /annotation io\.procveil\.a\?\[2J\?procveil: forged/)
    t.notMatch(text, /[^\P{Cc}\n]/u, 'an annotation does not steer the terminal')
    t.notMatch(text, /^procveil: forged/m, 'and forges no line')
  }
  const { exitCode, stderr } = await here.hook({ ...state, root: '/no\x1b[2Jwhere' }, '--strict')
  t.equal(exitCode, 1)
  t.match(stderr, 'Cannot bind into other: no proc file system is mounted at /no?[2Jwhere/proc')
  t.equal(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'), mounts, 'nothing is mounted')
  t.strictSame(here.registered(), [], 'nothing is registered')
})

t.test('runc does not wait for the server that its hook starts', needs('runc'), async t => {
  const here = site(t)
  const quick = box(t, here, 'quick', { command: ['cat', '/proc/uptime'] })
  const { stdout } = await quick.runc('run', '--bundle', quick.bundle, 'quick')
  t.match(stdout, /^\d+\.\d\d \d/)
  t.equal(here.servers().length, 2, 'the server runs')
  const stdio = await execa('sh', [
    '-c',
    here
      .servers()
      .map(pid => `readlink /proc/${pid}/fd/0 /proc/${pid}/fd/1 /proc/${pid}/fd/2`)
      .join('; '),
  ])
  // The server tells its keeper by stdout that it is ready; runc returned, so none of these is its own.
  const others = stdio.stdout.split('\n').filter(file => file !== '/dev/null')
  t.equal(others.length, 1)
  t.match(others[0], /^socket:/)
})

const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['nothing', '', /stdin is empty/],
  ['no JSON', 'hello', /no JSON but "hello"/],
  ['no object', '[1]', /no JSON object/],
  ['pid 0', '{"id":"x","pid":0,"status":"creating","bundle":"/b"}', /pid is 0/],
  ['pid 1', '{"id":"x","pid":1,"status":"creating","bundle":"/b"}', /pid is 1/],
  ['no pid', '{"id":"x","status":"creating","bundle":"/b"}', /pid is missing/],
  [
    'a dead pid',
    '{"id":"x","pid":4194303,"status":"creating","root":"/b"}',
    /Cannot find process 4194303/,
  ],
  [
    'our own pid',
    `{"id":"x","pid":${process.pid},"status":"creating","root":"/b"}`,
    /host's mount namespace/,
  ],
  [
    'no bundle',
    `{"id":"x","pid":${process.pid},"status":"creating"}`,
    /names neither root nor bundle/,
  ],
  [
    'a bundle that is none',
    `{"id":"x","pid":${process.pid},"status":"creating","bundle":"/nowhere"}`,
    /nowhere\/config.json/,
  ],
  [
    'a path for an id',
    '{"id":"../../etc","pid":5,"status":"creating","bundle":"/b"}',
    /Cannot use container id "..\/..\/etc"/,
  ],
  ['an id for stopped that is none', '{"id":"../x","status":"stopped"}', /Cannot use container id/],
  ['10 MiB', `{"id":"${'x'.repeat(10 * 2 ** 20)}"}`, /more than 1048576 bytes/],
]

t.test('garbage on stdin', needs(), async t => {
  const here = site(t)
  for (const [what, input, message] of BAD) {
    t.test(what, async t => {
      const mounts = here.hostMounts()
      const lenient = await here.procveil(['hook'], input)
      t.equal(lenient.exitCode, 0, 'the container starts all the same')
      t.match(lenient.stderr, message)
      t.match(here.readLog(), message)
      const strict = await here.procveil(['hook', '--strict'], input)
      t.equal(strict.exitCode, 1)
      t.match(strict.stderr, message)
      t.strictSame(here.registered(), [], 'nothing is registered')
      t.strictSame(
        here.hostMounts().filter(mount => mount !== here.mountPoint),
        mounts.filter(mount => mount !== here.mountPoint),
      )
    })
  }
})

t.test('a failing hook does not stop the container', needs('runc'), async t => {
  const here = site(t)
  const other = box(t, here, 'lucky', { hookEnv: ['PATH=/bin'] })
  await execa('mkdir', ['-p', here.directory])
  await execa('touch', [here.runDirectory])
  await other.start()
  t.match(await other.cat('/proc/meminfo'), /^MemTotal:/)
  t.equal(await other.sh('mount | grep -c lxcfs || true'), '0')
  t.match(here.readLog(), 'error: Cannot')
})
