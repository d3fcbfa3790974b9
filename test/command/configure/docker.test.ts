import { chmodSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { renderCdi, WRAPPER } from '../../../src/command/hooks/entry.ts'
import { containerdOf } from './containerd-programs.ts'
import { fixture, WRAPPER as INSTALLED, type Programs, siteOf, withoutRecords } from './site.ts'

const CONFIG = 'etc/docker/daemon.json'
const CDI = 'etc/cdi/procveil.json'
const dockerd = (version: string, accepts: (text: string) => boolean = () => true): Programs => ({
  dockerd: args => {
    if (args[0] === '--version') return { stdout: `Docker version ${version}, build 1234567\n` }
    return accepts(args[2] ?? '') ? {} : { status: 1, stderr: 'unable to configure: no\n' }
  },
})

t.test('other keys keep their bytes', async t => {
  for (const name of ['features', 'tabs', 'two-spaces', 'one-line', 'windows-lines']) {
    const before = fixture(`docker/${name}.json`)
    const site = siteOf(t, { [CONFIG]: before }, dockerd('28.5.2'))
    site.configure('docker')
    const after = site.host.read(CONFIG)
    t.equal(JSON.parse(after).features.cdi, true, name)
    const left = before.split(/\r?\n/).filter(line => !after.includes(line.replace(/,?$/, '')))
    if (name !== 'one-line') t.strictSame(left, [], `${name}: no line is gone`)
    t.equal(site.host.read(CDI), renderCdi())
    t.match(site.configure('docker'), /already configured/)
    site.configure('docker', { undo: true })
    t.strictSame(site.files(), { [CONFIG]: before }, `${name} is as before`)
    t.match(site.configure('docker', { undo: true }), /nothing is to be undone/)
  }
})

t.test('what is added is written as the rest is', async t => {
  const written = (before: string) => {
    const site = siteOf(t, { [CONFIG]: before })
    site.configure('docker')
    return site.host.read(CONFIG)
  }
  t.match(written(fixture('docker/tabs.json')), '\n\t"features": {\n\t\t"cdi": true\n\t}\n}')
  t.match(written(fixture('docker/tabs.json')), '18446744073709551615')
  t.match(
    written(fixture('docker/features.json')),
    'snapshotter": true,\n        "cdi": true\n    },',
  )
  t.match(written('{"features":{"buildkit":true}}'), '{"features":{"buildkit":true,"cdi": true}}')
  t.match(written('{"features":{"cdi":false}}'), '{"features":{"cdi":true}}')
  t.equal(written(''), '{\n  "features": {\n    "cdi": true\n  }\n}\n')
})

t.test('a file that is not there is made, and removed again with its directories', async t => {
  const site = siteOf(t, { 'etc/hostname': 'a' }, dockerd('28.5.2'))
  t.match(
    site.configure('docker'),
    /wrote \/etc\/cdi\/procveil.json\nwrote \/etc\/docker\/daemon.json\n/,
  )
  t.ok(site.host.has(CONFIG))
  site.configure(undefined, { undo: true })
  t.strictSame(site.host.list('etc'), ['hostname'])
})

t.test('a restart is asked for, and done on request', async t => {
  const programs = { ...dockerd('28.5.2'), systemctl: () => ({}) }
  t.match(siteOf(t, {}, programs).configure('docker'), /systemctl restart docker\n/)
  const site = siteOf(t, {}, programs)
  t.match(site.configure('docker', { restart: true }), /^restarted docker$/m)
  t.strictSame(site.ran.at(-1), ['systemctl', 'restart', 'docker'])
  site.configure('docker', { restart: true })
  t.equal(site.ran.filter(([program]) => program === 'systemctl').length, 1)
  const failing = {
    ...programs,
    systemctl: () => ({ status: 5, stderr: 'Unit docker not found.' }),
  }
  t.throws(() => siteOf(t, {}, failing).configure('docker', { restart: true }), {
    message: /^Cannot restart docker: systemctl: Unit docker not found/,
  })
})

t.test('a device of the package, or of /var/run, is used as it is', async t => {
  for (const path of [CDI, 'var/run/cdi/procveil.json']) {
    const site = siteOf(t, { [path]: 'packaged' })
    site.configure('docker')
    t.strictSame(Object.keys(withoutRecords(site.files())), [path, CONFIG].sort())
    site.configure('docker', { undo: true })
    t.strictSame(site.files(), { [path]: 'packaged' })
  }
  const config = '{"cdi-spec-dirs": ["/opt/cdi"]}'
  const site = siteOf(t, { [CONFIG]: config, [CDI]: 'unread' })
  site.configure('docker')
  t.equal(site.host.read('opt/cdi/procveil.json'), renderCdi())
})

t.test('an old docker is told of', async t => {
  t.match(
    siteOf(t, {}, dockerd('20.10.24+dfsg1')).configure('docker'),
    /note: dockerd is version 20.10.24/,
  )
  t.notMatch(siteOf(t, {}, dockerd('25.0.0')).configure('docker'), /note/)
})

t.test('what cannot be edited is left alone', async t => {
  const cases: [string, RegExp][] = [
    ['{"debug": true,}', /^Cannot edit .*no JSON, at line 1, column 16/],
    ['{ // a comment\n}', /no JSON, at line 1/],
    ['{"debug"', /no JSON/],
    ['[]', /no JSON object/],
    ['{"features": ["cdi"]}', /features is no object but \["cdi"\]/],
    ['{"features": {"cdi": "yes"}}', /features.cdi is neither true nor false but "yes"/],
    ['{"features": {"a": true}, "features": {"b": true}}', /twice/],
  ]
  for (const [text, message] of cases) {
    const site = siteOf(t, { [CONFIG]: text })
    t.throws(() => site.configure('docker'), { message })
    t.strictSame(site.files(), { [CONFIG]: text }, text)
  }
})

t.test('what dockerd does not accept is not written', async t => {
  const refused = siteOf(
    t,
    { [CONFIG]: '{}' },
    dockerd('28.5.2', path => path.endsWith('old.json')),
  )
  t.throws(() => refused.configure('docker'), {
    message:
      'Cannot edit /etc/docker/daemon.json: dockerd does not accept it: unable to configure: no',
  })
  t.strictSame(refused.files(), { [CONFIG]: '{}' })
  const invalid = siteOf(
    t,
    { [CONFIG]: '{"x":1}' },
    dockerd('28.5.2', () => false),
  )
  t.throws(() => invalid.configure('docker'), { message: /did not accept it before either/ })
  const old = siteOf(
    t,
    { [CONFIG]: '{}' },
    dockerd('20.10.24', () => false),
  )
  old.configure('docker')
  t.ok(JSON.parse(old.host.read(CONFIG)).features.cdi, 'an old one has no --validate')
})

t.test('what others have edited since keeps their changes', async t => {
  const before = fixture('docker/features.json')
  const site = siteOf(t, { [CONFIG]: before })
  site.configure('docker')
  site.host.set({ [CONFIG]: site.host.read(CONFIG).replace('overlay2', 'btrfs') })
  t.match(site.configure('docker', { undo: true }), /restored .* others have edited since/)
  t.strictSame(site.files(), { [CONFIG]: before.replace('overlay2', 'btrfs') })
})

t.test('features.cdi goes back to what it was', async t => {
  const undone = (before: string, edit: (settings: Record<string, unknown>) => unknown) => {
    const site = siteOf(t, { [CONFIG]: before })
    site.configure('docker')
    const settings = JSON.parse(site.host.read(CONFIG))
    edit(settings)
    site.host.set({ [CONFIG]: JSON.stringify(settings) })
    site.configure('docker', { undo: true })
    return site.host.has(CONFIG) && JSON.parse(site.host.read(CONFIG))
  }
  const debug = (settings: Record<string, unknown>) => Object.assign(settings, { debug: true })
  t.strictSame(undone('{}', debug), { debug: true })
  t.strictSame(undone('{"features":{"cdi":false}}', debug), {
    features: { cdi: false },
    debug: true,
  })
  t.strictSame(undone('{"features":{}}', debug), { features: {}, debug: true })
  const turnedOff = { features: { cdi: false } }
  t.strictSame(
    undone('{}', settings => Object.assign(settings, turnedOff)),
    turnedOff,
  )
})

t.test('a file that was made and edited since stays, without ours', async t => {
  const site = siteOf(t, {})
  site.configure('docker')
  site.host.set({ [CONFIG]: '{"features": {"cdi": true}, "debug": true}' })
  site.configure('docker', { undo: true })
  t.ok(isDeepStrictEqual(JSON.parse(site.host.read(CONFIG)), { debug: true }))
})

t.test('a file that was damaged since is told of, and its record stays', async t => {
  const site = siteOf(t, { [CONFIG]: '{}' })
  site.configure('docker')
  site.host.set({ [CONFIG]: '{"features"' })
  t.throws(() => site.configure(undefined, { undo: true }), { message: /holds no JSON/ })
  t.equal(site.host.read(CONFIG), '{"features"')
  site.host.set({ [CONFIG]: '{"features": {"cdi": true}}' })
  site.configure(undefined, { undo: true })
  t.strictSame(Object.keys(site.files()), [CONFIG])
})

const WITH_RUNTIME = { procveil: { path: WRAPPER } }

t.test('procveil-runtime is a runtime, and the default one on request', async t => {
  for (const name of ['features', 'tabs', 'two-spaces', 'one-line', 'windows-lines']) {
    const before = fixture(`docker/${name}.json`)
    const site = siteOf(t, { [CONFIG]: before }, dockerd('28.5.2'))
    t.match(site.configure('docker', { asRuntime: true }), /systemctl reload docker/)
    const settings = () => JSON.parse(site.host.read(CONFIG))
    const { runtimes, ...others } = settings()
    t.match(runtimes, WITH_RUNTIME, name)
    const { runtimes: had, ...were } = JSON.parse(before)
    t.strictSame([others, runtimes], [were, { ...had, ...WITH_RUNTIME }], 'nothing else changes')
    t.notOk(site.host.has(CDI), 'the device is another way')
    const written = site.host.read(CONFIG)
    t.match(site.configure('docker', { asRuntime: true }), /already configured/)
    t.equal(site.host.read(CONFIG), written)

    site.configure('docker', { setAsDefault: true })
    t.equal(settings()['default-runtime'], 'procveil')
    site.configure('docker', { asRuntime: true })
    t.equal(settings()['default-runtime'], 'procveil', 'which is not taken back by the way')
    t.match(site.configure('docker', { undo: true }), /"procveil": {"path": "runc"}/)
    t.strictSame(withoutRecords(site.files()), { [CONFIG]: before }, `${name} is as before`)
  }
})

t.test('the device and the runtime stand beside each other', async t => {
  const site = siteOf(t, { [CONFIG]: '{}' }, { ...dockerd('28.5.2'), systemctl: () => ({}) })
  site.configure('docker')
  t.match(site.configure('docker', { asRuntime: true, restart: true }), /^reloaded docker$/m)
  t.match(JSON.parse(site.host.read(CONFIG)), { features: { cdi: true }, runtimes: WITH_RUNTIME })
  site.configure('docker')
  t.match(JSON.parse(site.host.read(CONFIG)), { features: { cdi: true }, runtimes: WITH_RUNTIME })
  site.configure('docker', { undo: true })
  t.strictSame(withoutRecords(site.files()), { [CONFIG]: '{}' })

  site.configure('docker', { asRuntime: true })
  t.match(site.configure('docker'), /restart docker, which reads features/, 'the other way round')
  t.match(JSON.parse(site.host.read(CONFIG)), { features: { cdi: true }, runtimes: WITH_RUNTIME })
})

t.test('the default runtime that was goes on behind it', async t => {
  const before = JSON.stringify({
    runtimes: { nvidia: { path: 'nvidia-container-runtime', runtimeArgs: [] } },
    'default-runtime': 'nvidia',
  })
  const site = siteOf(t, { [CONFIG]: before })
  const said = site.configure('docker', { setAsDefault: true })
  t.match(said, /every container .* but for docker run --runtime runc and the steps of a build$/m)
  t.equal(site.host.read('etc/procveil/runtime'), 'nvidia-container-runtime\n')
  site.configure('docker', { undo: true })
  t.strictSame(withoutRecords(site.files()), { [CONFIG]: before })

  const chosen = siteOf(t, { [CONFIG]: before, 'etc/procveil/runtime': 'crun\n' })
  t.match(
    chosen.configure('docker', { setAsDefault: true }),
    /note: .* names crun, .* and not nvidia/,
  )
  t.equal(chosen.host.read('etc/procveil/runtime'), 'crun\n', "an administrator's choice stays")
})

t.test('one daemon is told of what another has behind procveil-runtime', async t => {
  const nvidia = JSON.stringify({
    runtimes: { nvidia: { path: 'nvidia-container-runtime' } },
    'default-runtime': 'nvidia',
  })
  const toml = 'etc/containerd/config.toml'
  const crun = fixture('containerd/kubeadm-1.7.toml').replaceAll(
    'BinaryName = ""',
    'BinaryName = "/usr/bin/crun"',
  )
  for (const [config, program] of [
    [fixture('containerd/kubeadm-1.7.toml'), 'runc'],
    [crun, '/usr/bin/crun'],
  ] as const) {
    const before = { [CONFIG]: nvidia, [toml]: config }
    const site = siteOf(t, before, containerdOf('1.7'))
    t.notMatch(site.configure('docker', { setAsDefault: true }), /names/)
    const note = `/etc/procveil/runtime names nvidia-container-runtime, which runs all containers of the runtime procveil, those of this daemon too, and not ${program}, which`
    t.match(site.configure('containerd', { asRuntime: true }), note)
    t.equal(site.host.read('etc/procveil/runtime'), 'nvidia-container-runtime\n', "docker's stays")
    t.notMatch(site.configure('docker', { setAsDefault: true }), /names/)
    site.configure('containerd', { undo: true })
    t.equal(site.host.read('etc/procveil/runtime'), 'nvidia-container-runtime\n')
    site.configure('docker', { undo: true })
    t.strictSame(withoutRecords(site.files()), before)
  }
})

t.test('two daemons with the same program share it', async t => {
  const before = {
    [CONFIG]: '{"runtimes":{"c":{"path":"crun"}},"default-runtime":"c"}',
    'etc/containerd/config.toml': fixture('containerd/kubeadm-1.7.toml').replaceAll(
      'BinaryName = ""',
      'BinaryName = "/usr/bin/crun"',
    ),
  }
  const site = siteOf(t, before, containerdOf('1.7'))
  site.configure('docker', { setAsDefault: true })
  t.notMatch(site.configure('containerd', { asRuntime: true }), /names/)
  t.match(site.configure('docker', { undo: true }), /kept .*runtime: containerd has the hook by it/)
  t.equal(site.host.read('etc/procveil/runtime'), 'crun\n')
  site.configure('containerd', { undo: true })
  t.strictSame(withoutRecords(site.files()), before)
})

t.test('a runtime that was chosen counts also for one that has run runc', async t => {
  const chosen = (text: string) =>
    siteOf(t, { 'etc/procveil/runtime': text }).configure('docker', { setAsDefault: true })
  t.match(chosen('crun\n'), /note: .* names crun, .* and not runc, which has run them so far/)
  t.notMatch(chosen('# crun\n/usr/sbin/runc\n'), /names/)
})

t.test('the arguments of the default runtime that was go with it', async t => {
  const runsc = '/usr/local/bin/runsc'
  const before = JSON.stringify({
    runtimes: { runsc: { path: runsc, runtimeArgs: ['--platform=kvm', '--debug'] } },
    'default-runtime': 'runsc',
  })
  const ours = { path: WRAPPER, runtimeArgs: ['--platform=kvm', '--debug'] }
  const site = siteOf(t, { [CONFIG]: before })
  const entry = () => JSON.parse(site.host.read(CONFIG)).runtimes.procveil
  site.configure('docker', { setAsDefault: true })
  t.strictSame(entry(), ours)
  const once = site.files()
  t.match(site.configure('docker', { setAsDefault: true }), /already configured/)
  t.strictSame(site.files(), once, 'twice is once')
  site.host.set({ [CONFIG]: site.host.read(CONFIG).replace('{', '{"debug":true,') })
  site.configure('docker', { setAsDefault: true })
  t.strictSame(entry(), ours, 'also when others have edited the file')
  site.host.set({ [CONFIG]: site.host.read(CONFIG).replace('"debug":true,', '') })
  site.configure('docker', { undo: true })
  t.strictSame(withoutRecords(site.files()), { [CONFIG]: before })

  const chosen = siteOf(t, { [CONFIG]: before, 'etc/procveil/runtime': '# ours\ncrun\nrunsc\n' })
  t.match(
    chosen.configure('docker', { setAsDefault: true }),
    /note: .* names crun, .* and not .*runsc/,
  )
  const { procveil } = JSON.parse(chosen.host.read(CONFIG)).runtimes
  t.strictSame(procveil, { path: WRAPPER }, 'another program has other arguments')
})

t.test('a procveil-runtime that is not there is named to nobody', async t => {
  for (const [runtime, config] of [
    ['docker', CONFIG],
    ['containerd', 'etc/containerd/config.toml'],
  ] as const) {
    const site = siteOf(t, { [config]: '' }, containerdOf('2.1'))
    const message = /: \/usr\/bin\/procveil-runtime is no executable, .* install procveil there/
    const refused = () => {
      const before = site.files()
      t.throws(() => site.configure(runtime, { asRuntime: true }), { message })
      t.throws(() => site.configure(runtime, { asRuntime: true, dryRun: true }), { message })
      t.strictSame(site.files(), before)
    }
    chmodSync(site.host.path(INSTALLED), 0o644)
    refused()
    site.host.set({ [INSTALLED]: undefined })
    refused()
    site.configure(runtime)
    t.match(site.configure(runtime, { undo: true }), /restored|removed/, 'a hook needs it not')
  }
})

t.test('a shim that stays the default may have the runtime beside it', async t => {
  for (const settings of [
    { 'default-runtime': 'io.containerd.runsc.v1' },
    { 'default-runtime': 'kata', runtimes: { kata: { runtimeType: 'io.containerd.kata.v2' } } },
  ]) {
    const before = JSON.stringify(settings)
    const site = siteOf(t, { [CONFIG]: before })
    const name = settings['default-runtime']
    const said = site.configure('docker', { asRuntime: true })
    t.match(
      said,
      `note: docker run --runtime procveil has a program like runc run a container, and not "${name}"`,
    )
    t.equal(JSON.parse(site.host.read(CONFIG))['default-runtime'], name)
    site.configure('docker', { undo: true })
    t.strictSame(withoutRecords(site.files()), { [CONFIG]: before })
  }
})

t.test("docker's own names for runc are no shims", async t => {
  for (const name of ['', 'runc', 'io.containerd.runc.v2', 'procveil']) {
    const site = siteOf(t, { [CONFIG]: JSON.stringify({ 'default-runtime': name }) })
    site.configure('docker', { setAsDefault: true })
    t.equal(JSON.parse(site.host.read(CONFIG))['default-runtime'], 'procveil', name)
  }
})

t.test('what others have edited since keeps their changes beside the runtime', async t => {
  const undone = (before: string, edit: (settings: Record<string, unknown>) => unknown) => {
    const site = siteOf(t, { [CONFIG]: before })
    site.configure('docker', { setAsDefault: true })
    const settings = JSON.parse(site.host.read(CONFIG))
    edit(settings)
    site.host.set({ [CONFIG]: JSON.stringify(settings) })
    site.configure('docker', { undo: true })
    return JSON.parse(site.host.read(CONFIG))
  }
  const debug = (settings: Record<string, unknown>) => Object.assign(settings, { debug: true })
  t.strictSame(undone('{}', debug), { debug: true })
  t.strictSame(undone('{"default-runtime":"runc"}', debug), {
    'default-runtime': 'runc',
    debug: true,
  })
  const others = { kata: { runtimeType: 'io.containerd.kata.v2' } }
  const had = JSON.stringify({ runtimes: others })
  t.strictSame(undone(had, debug), { runtimes: others, debug: true })
  const changed = { 'default-runtime': 'kata' }
  t.strictSame(
    undone(had, settings => Object.assign(settings, changed)),
    { runtimes: others, ...changed },
  )
  const own = { runtimes: { procveil: { path: '/opt/mine' } } }
  t.strictSame(
    undone('{}', settings => Object.assign(settings, own)),
    {
      ...own,
      'default-runtime': 'procveil',
    },
  )
})

t.test('a runtime that cannot be put behind it is told of', async t => {
  const cases: [unknown, RegExp][] = [
    [
      { runtimes: { procveil: { path: '/opt/mine' } } },
      /it has one, which procveil configure did not/,
    ],
    [{ runtimes: [] }, /runtimes is no object but \[\]/],
    [
      { runtimes: { kata: { runtimeType: 'io.containerd.kata.v2' } }, 'default-runtime': 'kata' },
      /before "kata", .* that is a shim/,
    ],
    [{ 'default-runtime': 'io.containerd.runsc.v1' }, /before "io.containerd.runsc.v1", .* a shim/],
    [{ 'default-runtime': 'io.containerd.kata.v2', runtimes: {} }, /that is a shim/],
  ]
  for (const [settings, message] of cases) {
    const text = JSON.stringify(settings)
    const site = siteOf(t, { [CONFIG]: text })
    t.throws(() => site.configure('docker', { setAsDefault: true }), { message })
    t.strictSame(site.files(), { [CONFIG]: text })
  }
  t.throws(() => siteOf(t, {}).configure('podman', { asRuntime: true }), {
    message: /hook is for all containers as it is; leave --as-runtime out/,
  })
})
