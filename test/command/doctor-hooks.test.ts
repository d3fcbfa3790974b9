import { chmodSync, symlinkSync } from 'node:fs'
import t, { type Test } from 'tap'
import { checkHooks } from '../../src/command/doctor/hooks.ts'
import { GUARDED_HOOK, renderCdi, WRAPPER } from '../../src/command/hooks/entry.ts'
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
  t.match(podman(t, { hook: GUARDED_HOOK, stages }), [{ level: 'ok' }])
  t.match(podman(t, { hook: { ...hook, path: '/gone/procveil' }, stages }), [
    { level: 'problem', text: /no executable/ },
  ])
  t.match(podman(t, { hook: { ...hook, env: undefined }, stages }), [
    { level: 'problem', text: /no environment of its own/ },
  ])
  t.match(podman(t, { hook, stages: ['poststop'] }), [{ level: 'problem', text: /in poststop/ }])
  t.match(podman(t, { hook, stages: ['prestart'] }), [{ level: 'warning', text: /poststop/ }])
  const other = { hook: { path: '/usr/bin/nvidia-container-runtime-hook' }, stages }
  t.match(podman(t, other), [{ level: 'warning', advice: 'procveil configure podman' }])
  t.match(podman(t, { hook, stages }, `${SHARE}/50-procveil.txt`), [{ level: 'warning' }])
  t.match(podman(t, 'no hook'), [{ level: 'warning' }])
})

t.test('a guarded hook whose executable is gone is a problem', async t => {
  const host = withProgram(t, {
    'usr/bin/podman': '',
    [`${SHARE}/50-procveil.json`]: JSON.stringify({ hook: GUARDED_HOOK, stages }),
  })
  host.set({ [PATH.slice(1)]: undefined })
  t.match(checkHooks(host), [{ level: 'problem', text: /starts \/usr\/libexec.*no executable/ }])
})

t.test('a directory counts where it is read', async t => {
  const entry = JSON.stringify({ hook, stages })
  const etc = 'etc/containers/oci/hooks.d/50-procveil.json'
  const inEtc = { 'usr/bin/crio': '', [etc]: entry }
  t.match(checkHooks(withProgram(t, inEtc)), [
    { level: 'warning', text: /^crio: .*usr.share/, advice: 'procveil configure crio' },
  ])
  const configured = {
    'etc/crio/crio.conf.d/10-hooks.conf':
      '[crio.runtime]\nhooks_dir = ["/etc/containers/oci/hooks.d"]\n',
  }
  t.match(checkHooks(withProgram(t, { ...inEtc, ...configured })), [{ level: 'ok' }])
  t.match(checkHooks(withProgram(t, { ...inEtc, 'etc/crio/crio.conf': '[crio' })), [
    { level: 'problem', text: /^Cannot read \/etc\/crio\/crio.conf: line 1/ },
  ])
})

t.test('of two files with one name that in the later directory counts', async t => {
  const both = 'hooks_dir = ["/usr/share/containers/oci/hooks.d", "/etc/containers/oci/hooks.d"]'
  const host = withProgram(t, {
    'usr/bin/podman': '',
    'etc/containers/containers.conf': `[engine]\n${both}\n`,
    [`${SHARE}/50-procveil.json`]: JSON.stringify({ hook, stages }),
    'etc/containers/oci/hooks.d/50-procveil.json': '{}',
  })
  t.match(checkHooks(host), [{ level: 'warning', text: /^podman: containers do not get our hook/ }])
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
  const advice = 'procveil configure isulad'
  t.match(isulad({ prestart: [hook], poststop: [hook] }), [{ level: 'ok', text: /^isulad: / }])
  t.match(isulad({ prestart: [hook] }), [{ level: 'warning', text: /poststop/ }])
  t.match(isulad({ prestart: [] }), [{ level: 'warning', text: /does not name our hook/ }])
  t.match(isulad({}, {}), [{ level: 'warning', text: /names no hook-spec/, advice }])
  t.match(isulad({}, { 'hook-spec': '/gone' }), [{ level: 'problem', text: /cannot be read/ }])
})

t.test('docker', async t => {
  const docker = (files: Readonly<Record<string, string>>) =>
    checkHooks(withProgram(t, { 'usr/bin/dockerd': '', 'usr/bin/containerd': '', ...files }))
  const cdi = { 'etc/cdi/procveil.json': renderCdi() }
  const features = (cdi: boolean) => ({
    'etc/docker/daemon.json': JSON.stringify({ features: { cdi } }),
  })
  const text = 'docker: configured for --device procveil.io/proc=view'
  t.match(docker({ ...cdi, ...features(true) }), [{ level: 'ok', text }])
  t.match(docker(cdi), [{ level: 'ok', text: `${text}, with docker 28.2 or newer` }])
  t.match(docker({ ...cdi, ...features(false) }), [{ level: 'warning', text: /turns CDI off/ }])
  const advice = 'procveil configure docker; procveil remount --all for those that run'
  t.match(docker(features(true)), [{ level: 'warning', text: /is not known/, advice }])
  const elsewhere = { 'etc/docker/daemon.json': '{"cdi-spec-dirs": ["/opt/cdi"]}' }
  t.match(docker({ ...cdi, ...elsewhere }), [{ level: 'warning', text: /is not known/ }])
  const unguarded = renderCdi().replaceAll(PATH, '/gone/procveil')
  t.match(docker({ 'etc/cdi/procveil.json': unguarded }), [{ level: 'problem' }])

  const runtimes = { veiled: { path: WRAPPER }, kata: { runtimeType: 'io.containerd.kata.v2' } }
  const wrapped = (name: string) => ({
    'etc/docker/daemon.json': JSON.stringify({ runtimes, 'default-runtime': name }),
  })
  t.match(docker(wrapped('veiled')), [
    {
      level: 'problem',
      text: /no container of it starts/,
      advice: /procveil configure docker --undo/,
    },
  ])
  const whose = (name: string) => {
    const program = { 'usr/bin/dockerd': '', [WRAPPER.slice(1)]: '' }
    const host = withProgram(t, { ...program, ...wrapped(name) })
    chmodSync(host.path(WRAPPER.slice(1)), 0o755)
    return checkHooks(host)
  }
  t.match(whose('veiled'), [
    { level: 'ok', text: 'docker: procveil-runtime is for all containers' },
  ])
  t.match(whose('kata'), [{ level: 'ok', text: /those with docker run --runtime veiled$/ }])
})

t.test('containerd', async t => {
  const SPEC = '/etc/procveil/containerd-base-spec.json'
  const containerd = (config: string, files: Readonly<Record<string, string>> = {}) =>
    checkHooks(
      withProgram(t, {
        'usr/bin/containerd': '',
        'etc/containerd/config.toml': config,
        [SPEC.slice(1)]: JSON.stringify({
          hooks: { createRuntime: [GUARDED_HOOK], poststop: [GUARDED_HOOK] },
        }),
        ...files,
      }),
    )
  const runtime = (plugin: string) =>
    `[plugins."${plugin}".containerd.runtimes.procveil]\nbase_runtime_spec = "${SPEC}"\n`
  const byDefault = (plugin: string) =>
    `[plugins."${plugin}".containerd]\ndefault_runtime_name = "procveil"\n${runtime(plugin)}`
  for (const plugin of ['io.containerd.grpc.v1.cri', 'io.containerd.cri.v1.runtime', 'cri']) {
    t.match(containerd(runtime(plugin)), [{ level: 'ok', text: /the handler procveil$/ }])
    t.match(containerd(byDefault(plugin)), [{ level: 'ok', text: /for all pods$/ }])
  }
  const advice = 'procveil configure nri, or containerd; procveil remount --all for those that run'
  t.match(containerd('version = 2\n'), [{ level: 'warning', text: /no pod/, advice }])
  t.match(containerd(runtime('cri'), { [SPEC.slice(1)]: '{}' }), [{ level: 'warning' }])
  const imported = containerd('imports = ["conf.d/*.toml"]\n', {
    'etc/containerd/conf.d/50-procveil.toml': runtime('io.containerd.cri.v1.runtime'),
  })
  t.match(imported, [{ level: 'ok' }])
  t.match(containerd('version = '), [{ level: 'problem', text: /config.toml: line 1/ }])
  // What docker brings along is no runtime of pods.
  t.match(containerd('disabled_plugins = ["cri"]\n'), [{ text: /no runtime is found/ }])
  t.match(containerd('version = 2\n', { 'usr/bin/dockerd': '' }), [{ text: /^docker: / }])
  t.match(containerd('version = 2\n', { 'usr/bin/dockerd': '', 'usr/bin/kubelet': '' }), [
    { text: /^docker: / },
    { text: /^containerd: no pod/ },
  ])
})

t.test('NRI', async t => {
  const RULES = 'etc/procveil/nri.json'
  const nri = (rules: string, files: Readonly<Record<string, string>> = {}) =>
    checkHooks(
      withProgram(t, {
        'usr/bin/containerd': '',
        [RULES]: rules,
        'run/nri/nri.sock': '',
        'etc/containerd/config.toml': 'version = 3\n',
        ...files,
      }),
    )
  const all = '{"pods":"all","exceptNamespaces":["kube-system"]}'
  t.match(nri(all), [{ level: 'ok', text: /all pods but those of kube-system$/ }])
  t.equal(nri(all).length, 1, 'containerd itself needs nothing then')
  t.match(nri('{}'), [{ level: 'ok', text: /is for annotated pods$/ }])
  t.match(nri('{"socket":"/run/x.sock"}'), [{ level: 'warning', text: /listens at \/run\/x.sock/ }])
  t.match(nri('{"pods":1}'), [{ level: 'problem', text: /^Cannot read \/etc\/procveil\/nri.json/ }])
  const table = '[plugins."io.containerd.nri.v1.nri"]\n'
  const validator = `${table}[plugins."io.containerd.nri.v1.nri".default_validator]\n`
  const rejects = 'enable = true\nreject_oci_hook_adjustment = true\n'
  const containerd = { 'run/containerd/containerd.sock': '' }
  const crio = { 'usr/lib/systemd/system/crio.service': '' }
  for (const [there, path, text, line] of [
    [containerd, 'etc/containerd/config.toml', `${table}disable = true\n`, 'disable = true'],
    [
      containerd,
      'etc/containerd/config.toml',
      `${validator}${rejects}`,
      'reject_oci_hook_adjustment = true',
    ],
    [crio, 'etc/crio/crio.conf', '[crio.nri]\nenable_nri = false\n', 'enable_nri = false'],
    [
      crio,
      'etc/crio/crio.conf.d/20-nri.conf',
      '[crio.nri.default_validator]\nnri_enable_default_validator = true\nnri_validator_reject_oci_hook_adjustment = true\n',
      'nri_validator_reject_oci_hook_adjustment = true',
    ],
  ] as const) {
    const said = `nri: no container gets our hook: ${line} in /${path}`
    t.match(nri(all, { ...there, [path]: text }), [{ level: 'problem', text: said }])
    t.match(nri(all, { [path]: text }), [{ level: 'ok' }], `${line} of a runtime that is not there`)
  }
  const off = `${validator}enable = false\nreject_oci_hook_adjustment = true\n`
  t.match(nri(all, { ...containerd, 'etc/containerd/config.toml': off }), [{ level: 'ok' }])
  const later = (main: string, dropIn: string) =>
    nri(all, {
      ...containerd,
      'etc/containerd/config.toml': `imports = ["conf.d/*.toml"]\n${main}`,
      'etc/containerd/conf.d/nri.toml': dropIn,
    })
  const [isOff, isOn] = [`${table}disable = true\n`, `${table}disable = false\n`]
  t.match(later(isOff, isOn), [{ level: 'ok' }], 'the file that is read last counts')
  t.match(later(isOn, isOff), [{ level: 'problem', text: /conf.d\/nri.toml$/ }])
  t.match(later(validator + rejects, `${validator}reject_oci_hook_adjustment = false\n`), [
    { level: 'ok' },
  ])
  const both = { ...containerd, ...crio, 'etc/containerd/config.toml': isOff }
  t.match(nri(all, both), [{ level: 'ok' }], 'the other one has it')
})

t.test('others', async t => {
  t.match(checkHooks(machine(t, { 'usr/bin/lxc-start': '' })), [
    { level: 'warning', text: /^lxc-start: there is no place/ },
  ])
  t.match(checkHooks(machine(t, {})), [{ level: 'warning', text: /no runtime/ }])
})
