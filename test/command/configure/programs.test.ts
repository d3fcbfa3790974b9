import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { parse } from 'smol-toml'
import t from 'tap'
import { perform } from '../../../src/command/configure/perform.ts'
import { run } from '../../../src/command/configure/run.ts'
import { anyCriRuntimesOf } from '../../../src/command/hooks/containerd.ts'
import { isInPath } from '../../kit/requirements.ts'
import { machine } from '../../machines/machine.ts'
import { fixture } from './site.ts'

const silent = () => {}
const CONFIG = 'etc/containerd/config.toml'

const skip = isInPath('containerd') && isInPath('ctr') ? false : 'containerd is not installed'

t.test('containerd accepts what is written, and sees the runtimes', { skip }, async t => {
  const own = execFileSync('containerd', ['config', 'default'], { encoding: 'utf8' })
  for (const before of [fixture('containerd/debian.toml'), own]) {
    const host = machine(t, { [CONFIG]: before })
    perform({ host, run, print: silent }, 'containerd', { setAsDefault: true })
    const dumped = execFileSync('containerd', ['--config', host.path(CONFIG), 'config', 'dump'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const found = anyCriRuntimesOf(parse(dumped))
    t.equal(found?.defaultName, 'procveil')
    t.match(found?.runtimes, {
      runc: { runtime_type: 'io.containerd.runc.v2', base_runtime_spec: '' },
      procveil: {
        runtime_type: 'io.containerd.runc.v2',
        base_runtime_spec: '/etc/procveil/containerd-base-spec.json',
        pod_annotations: ['io.procveil.*'],
      },
    })
    perform({ host, run, print: silent }, undefined, { undo: true })
    t.equal(host.read(CONFIG), before)
  }
})

t.test('a program in PATH is asked, and its message told', async t => {
  const script = `#!/bin/sh
[ "$1" = --version ] && { echo 'Docker version 28.5.2, build 1'; exit; }
[ "$1" = --validate ] && grep -q buildkit "$3" && { echo 'buildkit is not wanted' >&2; exit 1; }
exit 0
`
  const programs = machine(t, { 'bin/dockerd': script })
  chmodSync(programs.path('bin/dockerd'), 0o755)
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = `${programs.path('bin')}:${path}`
  const configure = (before: string) => {
    const host = machine(t, { 'etc/docker/daemon.json': before })
    perform({ host, run, print: silent }, 'docker', {})
    return JSON.parse(host.read('etc/docker/daemon.json'))
  }
  t.match(configure('{"debug": true}'), { debug: true, features: { cdi: true } })
  t.throws(() => configure('{"features": {"buildkit": true}}'), {
    message:
      /dockerd does not accept it: buildkit is not wanted; it did not accept it before either/,
  })
})
