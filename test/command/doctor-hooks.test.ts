import { chmodSync, symlinkSync } from 'node:fs'
import t, { type Test } from 'tap'
import { checkHooks } from '../../src/command/doctor/hooks.ts'
import { type Machine, machine } from '../machines/machine.ts'

const PATH = '/usr/libexec/procveil/procveil'
const hook = { path: PATH, args: ['procveil', 'hook'], env: ['PATH=/bin'] }
const stages = ['createRuntime', 'poststop']
const withProgram = (t: Test, files: Readonly<Record<string, string>>): Machine => {
  const host = machine(t, { [PATH.slice(1)]: '', ...files })
  chmodSync(host.path(PATH.slice(1)), 0o755)
  return host
}
const SHARE = 'usr/share/containers/oci/hooks.d'
const podman = (t: Test, entry: unknown, file = `${SHARE}/50-procveil.json`) =>
  checkHooks(withProgram(t, { 'usr/bin/podman': '', [file]: JSON.stringify(entry) }))

t.test('podman and CRI-O', async t => {
  t.match(podman(t, { hook, stages }), [
    { level: 'ok', text: `podman: /${SHARE}/50-procveil.json` },
  ])
  t.match(podman(t, { hook: { ...hook, path: '/gone/procveil' }, stages }), [
    { level: 'problem', text: /no executable/ },
  ])
  t.match(podman(t, { hook: { ...hook, env: undefined }, stages }), [
    { level: 'problem', text: /no environment of its own/ },
  ])
  t.match(podman(t, { hook, stages: ['poststop'] }), [{ level: 'problem', text: /in poststop/ }])
  t.match(podman(t, { hook, stages: ['prestart'] }), [{ level: 'warning', text: /poststop/ }])
  const other = { hook: { path: '/usr/bin/nvidia-container-runtime-hook' }, stages }
  t.match(podman(t, other), [{ level: 'warning', advice: /copy hooks\/50-procveil.json/ }])
  t.match(podman(t, { hook, stages }, `${SHARE}/50-procveil.txt`), [{ level: 'warning' }])
  t.match(podman(t, 'no hook'), [{ level: 'warning' }])
})
t.test('the directory in /etc has the last word', async t => {
  const host = withProgram(t, {
    'usr/bin/crio': '',
    [`${SHARE}/50-procveil.json`]: JSON.stringify({ hook, stages }),
    'etc/containers/oci/hooks.d/50-procveil.json': '{}',
  })
  t.match(checkHooks(host), [{ level: 'warning', text: 'CRI-O: our hook is not installed' }])
})
t.test('a link of another name is ours', async t => {
  const host = withProgram(t, { 'usr/bin/podman': '' })
  symlinkSync(host.path(PATH.slice(1)), host.path('usr/bin/lxcfs-hook'))
  const linked = { ...hook, path: '/usr/bin/lxcfs-hook', args: ['lxcfs-hook'] }
  host.set({ [`${SHARE}/lxcfs.json`]: JSON.stringify({ hook: linked, stages }) })
  t.match(checkHooks(host), [{ level: 'ok' }])
})
t.test('isulad', async t => {
  const isulad = (spec: unknown, config: unknown = { 'hook-spec': '/etc/isulad/hooks.json' }) =>
    checkHooks(
      withProgram(t, {
        'etc/isulad/daemon.json': JSON.stringify(config),
        'etc/isulad/hooks.json': JSON.stringify(spec),
      }),
    )
  t.match(isulad({ prestart: [hook], poststop: [hook] }), [{ level: 'ok', text: /^isulad: / }])
  t.match(isulad({ prestart: [hook] }), [{ level: 'warning', text: /poststop/ }])
  t.match(isulad({ prestart: [] }), [{ level: 'warning', text: /does not name our hook/ }])
  t.match(isulad({}, {}), [{ level: 'warning', advice: /set "hook-spec"/ }])
  t.match(isulad({}, { 'hook-spec': '/gone' }), [{ level: 'problem', text: /cannot be read/ }])
})
t.test('others', async t => {
  const docker = checkHooks(machine(t, { 'usr/bin/dockerd': '' }))
  t.match(docker, [{ level: 'warning', text: /^dockerd: / }])
  t.match(checkHooks(machine(t, {})), [{ level: 'warning', text: /no runtime/ }])
})
