import t, { type Test } from 'tap'
import type { CgroupPaths } from '../../src/cgroup/hierarchy.ts'
import { isLeft, ownPath, readCgroups } from '../../src/container/own-cgroups.ts'
import { machine } from '../machines/machine.ts'

t.test('an init that moved down is counted where it was put', async t => {
  const own = (path: string) => ownPath(path, '4f2c')
  t.equal(own('/docker/4f2c'), '/docker/4f2c')
  t.equal(own('/docker/4f2c/init.scope'), '/docker/4f2c')
  t.equal(own('/lxc/other/init.scope'), '/lxc/other')
  t.equal(own('/init.scope'), '/')
  t.equal(own('/docker/4f2c/init'), '/docker/4f2c')
  t.equal(own('/a/libpod-4f2c.scope/container/init.scope'), '/a/libpod-4f2c.scope')
  t.equal(own('/a/4f2c/b-4f2c/c/init'), '/a/4f2c/b-4f2c', 'the deepest')
  t.equal(own('/a/other/init'), '/a/other/init', 'not named after the container')
  t.equal(own('/a/libpod-4f2c.scope/container'), '/a/libpod-4f2c.scope/container')
})

t.test('a cgroup that is shared with the runtime is none', async t => {
  const host = machine(t, {
    'proc/self/cgroup': '5:memory:/user\n4:cpu,cpuacct:/user\n0::/user\n',
    'proc/42/cgroup': '5:memory:/user\n4:cpu,cpuacct:/box\n0::/box/init.scope\n',
  })
  t.strictSame(readCgroups(host, 42, 'box'), {
    memory: '/',
    cpu: '/box',
    cpuacct: '/box',
    '': '/box',
  })
  t.throws(() => readCgroups(host, 43, 'box'), { code: 'ENOENT' })
})

const SHIM = 7
const statOf = (parent: number) => `42 (init) S ${parent} ${'0 '.repeat(17)}700 0 0\n`

/** What is the container's own where its init and the shim above it are in these cgroups. */
function ownBelow(t: Test, shim: string, init: string, id = '4f2c'): CgroupPaths {
  const host = machine(t, {
    'proc/self/cgroup': '5:memory:/user\n0::/user\n',
    'proc/42/stat': statOf(SHIM),
    'proc/42/cgroup': init,
    [`proc/${SHIM}/cgroup`]: shim,
  })
  return readCgroups(host, 42, id)
}

const DAEMON = '/system.slice/docker.service'
const SHARED = `5:memory:${DAEMON}\n4:pids:${DAEMON}\n0::${DAEMON}\n`

t.test("a unified cgroup that is the runtime's is none, beside those of v1", async t => {
  const init = `5:memory:/docker/4f2c\n4:pids:${DAEMON}\n0::${DAEMON}\n`
  t.strictSame(ownBelow(t, SHARED, init), { memory: '/docker/4f2c', pids: DAEMON, '': '/' })
})

t.test('a unified cgroup of its own stays, whoever is in it beside the container', async t => {
  const v1 = '5:memory:/docker/4f2c\n4:pids:/docker/4f2c\n'
  const own = (path: string, shim = `5:memory:/\n0::${path}\n`, id = '4f2c') =>
    ownBelow(t, shim, `${v1}0::${path}\n`, id)['']
  t.equal(own('/docker/4f2c', SHARED), '/docker/4f2c', 'apart from the shim')
  t.equal(own('/machine.slice/libpod-4f2c.scope'), '/machine.slice/libpod-4f2c.scope', 'by name')
  t.equal(own('/lxc.payload.box/sub', undefined, 'box'), '/lxc.payload.box/sub', 'below it')
  t.equal(own('/docker/4f2c', undefined, 'other'), '/docker/4f2c', 'as v1 has it')
  t.equal(own('/docker/4f2c/monitor', undefined, 'other'), '/docker/4f2c/monitor', 'below that')
  t.equal(own('/docker/4f2cd', undefined, 'other'), '/', 'beside it')
  t.equal(own(DAEMON, SHARED, 'docker'), '/', 'a service that is called like the container')
})

t.test('without v1 beside it, or a parent to compare with, the unified cgroup counts', async t => {
  t.strictSame(ownBelow(t, `0::${DAEMON}\n`, `0::${DAEMON}\n`), { '': DAEMON })
  const host = machine(t, { 'proc/42/stat': statOf(0), 'proc/42/cgroup': SHARED })
  t.equal(readCgroups(host, 42, '4f2c')[''], DAEMON)
})

t.test('whether something is left of a container', async t => {
  const mount = (id: number, path: string, type: string, options: string) =>
    `${id} 1 0:${id} / ${path} rw - ${type} cgroup rw${options}\n`
  const host = machine(t, {
    'proc/self/mountinfo':
      mount(2, '/sys/fs/cgroup/memory', 'cgroup', ',memory') +
      mount(3, '/sys/fs/cgroup/unified', 'cgroup2', ''),
    'sys/fs/cgroup/memory/box/cgroup.procs': '',
  })
  t.ok(isLeft(host, { '': '/gone', memory: '/box' }), 'one of its cgroups')
  t.notOk(isLeft(host, { '': '/gone', memory: '/gone', cpu: '/box' }), 'none')
  t.ok(isLeft(host, { '': '/', memory: '/' }), 'it cannot be told')
})
