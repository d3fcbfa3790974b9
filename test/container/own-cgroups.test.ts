import t from 'tap'
import { ownPath, readCgroups } from '../../src/container/own-cgroups.ts'
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
