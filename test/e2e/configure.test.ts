/** The executable edits with libraries that it has inside: unit tests run with other builds of these. */

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import t from 'tap'
import { fixture } from '../command/configure/site.ts'
import { EXECUTABLE, isInPath, needs } from '../kit/requirements.ts'
import { machine } from '../machines/machine.ts'

/** Records are those of this machine, which none of these changes. */
const configure = (...args: readonly string[]) =>
  spawnSync(EXECUTABLE, ['configure', ...args], { encoding: 'utf8' })

/** The same where the files of `over` lie in /usr/bin too, in a mount namespace of its own. */
const configureOver = (over: string, ...args: readonly string[]) =>
  spawnSync(
    'unshare',
    ['--mount', 'sh', '-c', OVERLAID, 'sh', over, EXECUTABLE, 'configure', ...args],
    { encoding: 'utf8' },
  )

const OVERLAID = 'mount -t overlay -o "lowerdir=$1:/usr/bin" overlay /usr/bin && shift && exec "$@"'

t.test('the executable shows what it would write', needs(), async t => {
  const host = machine(t, {
    'daemon.json': fixture('docker/tabs.json'),
    'isulad.json': '{\n  // ours\n}\n',
    'config.toml': fixture('containerd/debian.toml'),
  })
  const shown = (runtime: string, file: string, ...options: string[]) => {
    const path = host.path(file)
    const before = host.read(file)
    const ran = configure(runtime, '--dry-run', '--runtime-config', path, ...options)
    t.equal(ran.status, 0, ran.stderr)
    t.equal(host.read(file), before, 'nothing is changed')
    t.match(ran.stdout, `--- ${path}\n+++ ${path}`)
    return ran.stdout
  }
  t.match(shown('docker', 'daemon.json'), '+\t"features": {\n+\t\t"cdi": true\n')
  t.match(shown('isulad', 'isulad.json'), /^\+ {2}"hook-spec": "\/.*hookspec.json"$/m)
  if (isInPath('containerd')) {
    t.match(shown('containerd', 'config.toml'), /^\+base_runtime_spec = "\/etc\/procveil/m)
  }
})

t.test('the executable names procveil-runtime where that is installed', needs(), async t => {
  const host = machine(t, {
    'daemon.json': fixture('docker/tabs.json'),
    'with/procveil-runtime': '#!/bin/sh\n',
    'without/procveil-runtime': 'no executable',
  })
  chmodSync(host.path('with/procveil-runtime'), 0o755)
  const options = ['docker', '--dry-run', '--set-as-default', '--runtime-config']
  const shown = (over: string) =>
    configureOver(host.path(over), ...options, host.path('daemon.json'))
  const there = shown('with')
  const added = /^\+\t\t"procveil": {\n\+\t\t\t"path": "\/usr\/bin\/procveil-runtime"/m
  t.match(there.stdout, added)
  t.match(there.stdout, '+\t"default-runtime": "procveil"\n')
  t.match(shown('without'), { status: 1, stderr: /\/usr\/bin\/procveil-runtime is no executable/ })
})

t.test('the executable says what it does not know', needs(), async t => {
  const unknown = configure('lxd')
  t.equal(unknown.status, 1)
  t.match(unknown.stderr, /Allowed choices are docker, containerd, crio, podman, isulad/)
  t.match(configure(), { status: 1, stderr: /none is named; known are docker/ })
  t.match(configure('docker', '--undo', '--set-as-default'), {
    status: 1,
    stderr: /cannot be used/,
  })
  const help = execFileSync(EXECUTABLE, ['configure', '--help'], { encoding: 'utf8' })
  t.match(help, /--set-as-default/)
})
