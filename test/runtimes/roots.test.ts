import { symlinkSync } from 'node:fs'
import t from 'tap'
import { expandRoots } from '../../src/runtimes/roots.ts'
import { machine } from '../machines/machine.ts'

t.test('a star stands for part of a name', async t => {
  const host = machine(t, {
    'run/user/0/runc/x': '',
    'run/user/1000/runc/x': '',
    'run/docker/runtime-runc/moby/x': '',
    'run/docker/runtime-nvidia/moby/x': '',
    'run/docker/containerd/moby/x': '',
    'lib/100000.100000/x': '',
    'lib/overlay2/x': '',
    'lib/aXbXc/x': '',
  })
  const expand = (...patterns: string[]) => expandRoots(host, patterns).sort()
  t.strictSame(expand('run/user/*/runc'), ['run/user/0/runc', 'run/user/1000/runc'])
  t.strictSame(expand('run/docker/runtime-*/*'), [
    'run/docker/runtime-nvidia/moby',
    'run/docker/runtime-runc/moby',
  ])
  t.strictSame(expand('lib/*.*'), ['lib/100000.100000'])
  t.strictSame(expand('lib/a*b*c'), ['lib/aXbXc'])
  t.strictSame(expand('lib/a*c*c'), [], 'one letter is not there twice')
  t.strictSame(expand('run/none/*'), [])
})

t.test('roots are given as operators write paths, and each counts once', async t => {
  const host = machine(t, { 'run/runc/box/x': '' })
  t.strictSame(expandRoots(host, ['/run/runc/', 'run//runc', './run/runc']), ['run/runc'])
  t.strictSame(expandRoots(host, ['../run/runc', '/run/../etc']), [], 'nothing leads upwards')
})

t.test('a star does not follow a link out of the root', async t => {
  const host = machine(t, { 'run/user/1000/runc/x': '' })
  symlinkSync('/etc', host.path('run/user/evil'))
  t.strictSame(expandRoots(host, ['run/user/*']), ['run/user/1000'])
})
