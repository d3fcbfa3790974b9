import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { type Machine, machine } from '../machines/machine.ts'
import { findRunning } from './find-running.ts'
import { ID, processFiles, runcState } from './process.ts'

const NEEDS_ROOT = process.geteuid?.() === 0 ? false : 'only root can give files away'

const ids = (host: Machine) => findRunning(host).map(({ id }) => id)

/** A machine with a container `good`, which is always to be found. */
function withGood(t: Test): Machine {
  return machine(t, {
    ...processFiles(7, 700),
    'run/runc/good/state.json': runcState('good', 7, 700),
  })
}

t.test('a host without any runtime has no containers', async t => {
  t.strictSame(findRunning(machine(t, {})), [])
})

t.test('containers are sorted by id, and an id may come twice', async t => {
  const host = machine(t, {
    ...processFiles(42, 1),
    ...processFiles(43, 1),
    ...processFiles(44, 1),
    'run/runc/web/state.json': runcState('web', 44, 1),
    'run/containerd/runc/a/web/state.json': runcState('web', 43, 1),
    'run/containerd/runc/b/box/state.json': runcState('box', 42, 1),
  })
  t.strictSame(
    findRunning(host).map(({ id, pid }) => [id, pid]),
    [
      ['box', 42],
      ['web', 43],
      ['web', 44],
    ],
  )
})

t.test('a process that has ended, and another with its pid, are left out', async t => {
  const host = withGood(t)
  host.set({
    ...processFiles(42, 9001),
    'run/runc/box/state.json': runcState('box', 42, 9001),
  })
  t.strictSame(ids(host), ['box', 'good'])
  host.set({ 'proc/42/stat': `42 (sh) Z 1 ${'0 '.repeat(17)}9001 0 0\n` })
  t.strictSame(ids(host), ['good'], 'a zombie')
  host.set(processFiles(42, 9002))
  t.strictSame(ids(host), ['good'], 'another process')
  host.set({ 'proc/42/stat': '42 sh' })
  t.strictSame(ids(host), ['good'], 'a stat that cannot be parsed')
  host.set({ 'proc/42': undefined })
  t.strictSame(ids(host), ['good'], 'none')
})

t.test('a pid that is proven to be one container’s is no other’s', async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, `/docker/${ID}/old`),
    'run/runc/old/state.json': runcState('old', 42, 9001),
    [`run/containerd/io.containerd.runtime.v2.task/default/${ID}/init.pid`]: '42',
  })
  t.match(findRunning(host), [{ id: 'old', runtime: 'runc' }])
  t.equal(findRunning(host).length, 1)
})

t.test('a process in the host’s mount namespace is no container', async t => {
  const host = withGood(t)
  const link = (pid: number, namespace: number) => {
    mkdirSync(host.path(`proc/${pid}/ns`), { recursive: true })
    rmSync(host.path(`proc/${pid}/ns/mnt`), { force: true })
    symlinkSync(`mnt:[${namespace}]`, host.path(`proc/${pid}/ns/mnt`))
  }
  host.set({
    ...processFiles(42, 9001),
    'run/runc/box/state.json': runcState('box', 42, 9001),
  })
  link(1, 4026531841)
  link(7, 4026532000)
  link(42, 4026532001)
  t.strictSame(ids(host), ['box', 'good'])
  link(42, 4026531841)
  t.strictSame(ids(host), ['good'])
})

t.test('roots by option come besides the others', async t => {
  const host = withGood(t)
  host.set({
    ...processFiles(42, 9001),
    'data/teams/a/runc/box/state.json': runcState('box', 42, 9001),
  })
  t.strictSame(ids(host), ['good'])
  for (const root of ['/data/teams/a/runc', 'data/teams/*/runc']) {
    t.match(findRunning(host, { runc: [root] }), [{ id: 'box' }, { id: 'good' }], root)
  }
  t.match(findRunning(host, { unheard: ['/data'] }), [{ id: 'good' }])
})

t.test('ids that cannot be a file’s name are left out', async t => {
  const host = withGood(t)
  host.set(processFiles(42, 9001))
  for (const id of ['.hidden', 'a b', '-x', 'naïve', 'a\nb']) {
    host.set({ [`run/runc/${id}/state.json`]: runcState(id, 42, 9001) })
    t.strictSame(ids(host), ['good'], JSON.stringify(id))
  }
})

t.test('links and pipes, and what is no file or too large, are left out', async t => {
  const host = withGood(t)
  const state = 'run/runc/box/state.json'
  host.set({ ...processFiles(42, 9001), elsewhere: runcState('box', 42, 9001) })
  host.set({ 'outside/box/state.json': runcState('box', 42, 9001) })

  symlinkSync(host.path('outside/box'), host.path('run/runc/box'))
  t.strictSame(ids(host), ['good'], 'a container’s directory that is a link')
  rmSync(host.path('run/runc/box'))

  mkdirSync(host.path('run/runc/box'))
  symlinkSync(host.path('elsewhere'), host.path(state))
  t.strictSame(ids(host), ['good'], 'a state that is a link')
  rmSync(host.path(state))

  execFileSync('mkfifo', [host.path(state)])
  t.strictSame(ids(host), ['good'], 'a pipe without a writer')
  rmSync(host.path(state))

  mkdirSync(host.path(state))
  t.strictSame(ids(host), ['good'], 'a directory')
  rmSync(host.path(state), { recursive: true })

  host.set({ [state]: runcState('box', 42, 9001) })
  t.strictSame(ids(host), ['box', 'good'], 'a file')
  host.set({ [state]: runcState('box', 42, 9001) + ' '.repeat(4 * 2 ** 20) })
  t.strictSame(ids(host), ['good'], 'a file of more than 4 MiB')
  truncateSync(host.path(state), 2 ** 40)
  t.strictSame(ids(host), ['good'], 'a file of 1 TiB')
})

t.test('directories that cannot be listed hide only what is in them', async t => {
  const host = withGood(t)
  symlinkSync('crun', host.path('run/crun'))
  host.set({ 'run/youki': 'a file', 'run/containerd': 'a file', 'var/lib/docker/containers': '' })
  host.set({ 'run/systemd/machines': 'a file', 'var/lib/isulad/engines': 'a file' })
  t.strictSame(ids(host), ['good'])
  t.strictSame(
    findRunning(host, { runc: ['x'.repeat(5000), 'a\0b', '', '*'] }).map(({ id }) => id),
    ['good'],
  )
})

/** Every file of a state that is read. */
const STATES = [
  'run/runc/box/state.json',
  'run/crun/box/status',
  'run/youki/box/youki_config.json',
  'run/containerd/io.containerd.runtime.v2.task/k8s.io/box/init.pid',
  'run/containerd/io.containerd.runtime.v2.task/k8s.io/box/config.json',
  'run/containerd/io.containerd.runtime.v2.task/k8s.io/box/shim-binary-path',
  'etc/docker/daemon.json',
  'var/lib/docker/containers/box/config.v2.json',
  'var/lib/docker/containers/box/hostconfig.json',
  'run/containers/storage/overlay-containers/containers.json',
  'run/containers/storage/overlay-containers/box/userdata/pidfile',
  'run/containers/storage/overlay-containers/box/userdata/config.json',
  'var/lib/containers/storage/overlay-containers/box/userdata/state.json',
  'etc/isulad/daemon.json',
  'run/isulad/lcr/box/pid.file',
  'run/isulad/runc/box/pid',
  'var/lib/isulad/engines/lcr/box/config.v2.json',
  'run/systemd/machines/box',
  'var/lib/lxc/box/config',
  'proc/42/cgroup',
  'proc/42/uid_map',
  'proc/self/mountinfo',
]

t.test('whatever is in the files, the other containers are found', async t => {
  const host = withGood(t)
  const garbage = [
    '',
    '42',
    '-1',
    'null',
    'true',
    '"box"',
    '[{"id":{}}]',
    '{',
    '{"id":"box","ID":"box","pid":42}',
    '{"__proto__":{"id":"box"},"constructor":1}',
    '\0'.repeat(4096),
    'LEADER=42\nSCOPE="',
    '0::/box\n1:\n:::\n',
    '1 2 3 - - -\n30 1 0:26 / /sys rw - cgroup2 x rw\n',
    '9'.repeat(400),
  ]
  for (const text of garbage) {
    host.set({ ...processFiles(42, 9001), ...Object.fromEntries(STATES.map(path => [path, text])) })
    t.ok(ids(host).includes('good'), JSON.stringify(text.slice(0, 30)))
  }
})

/** Gives a file, and the directory it is in, to a user. */
function giveAway(host: Machine, path: string, uid: number): void {
  chownSync(host.path(path), uid, uid)
  chownSync(host.path(dirname(path)), uid, uid)
}

t.test('what a user wrote counts for that user’s processes', { skip: NEEDS_ROOT }, async t => {
  const state = 'run/user/1234/runc/box/state.json'
  const host = withGood(t)
  host.set({
    ...processFiles(42, 9001),
    'proc/42/uid_map': '         0       1234          1\n         1     100000      65536\n',
    [state]: runcState('box', 42, 9001),
  })
  giveAway(host, state, 1234)
  t.strictSame(ids(host), ['box', 'good'])
  const maps = {
    'another user’s': '0 1235 1\n1 200000 65536\n',
    'one of root with its own users': '0 100000 65536\n',
    'a process of the host': '0 0 4294967295\n',
    'a process of the host’s first ids': '0 0 65536\n',
    'no process': '',
  }
  for (const [whose, map] of Object.entries(maps)) {
    host.set({ 'proc/42/uid_map': map })
    t.strictSame(ids(host), ['good'], whose)
  }
  chownSync(host.path(state), 0, 0)
  t.strictSame(ids(host), ['good'], 'a file of root that the user may have moved there')
  chownSync(host.path(dirname(state)), 0, 0)
  t.strictSame(ids(host), ['box', 'good'], 'root believes itself')
})

t.test('a user does not take the place of root’s container', { skip: NEEDS_ROOT }, async t => {
  const host = withGood(t)
  const state = 'run/user/1234/runc/good/state.json'
  host.set({
    ...processFiles(42, 9001),
    'proc/42/uid_map': '0 1234 1\n',
    [state]: runcState('good', 42, 9001),
  })
  giveAway(host, state, 1234)
  t.match(findRunning(host), [{ id: 'good', pid: 7 }])
  t.equal(findRunning(host).length, 1, 'with the same id')
})

t.test('a user names only that user’s containers', { skip: NEEDS_ROOT }, async t => {
  const host = machine(t, {
    ...processFiles(42, 9001, `/libpod-${ID}.scope`),
    [`run/containers/storage/overlay-containers/${ID}/userdata/pidfile`]: '42',
  })
  const names = 'home/eve/.local/share/containers/storage/overlay-containers/containers.json'
  host.set({ [names]: JSON.stringify([{ id: ID, names: ['evil'] }]) })
  t.match(findRunning(host), [{ id: ID, name: 'evil' }])
  giveAway(host, names, 1234)
  t.match(findRunning(host), [{ id: ID, name: undefined }])
})
