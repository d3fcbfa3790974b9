import t from 'tap'
import { criRuntimesOf } from '../../../src/command/hooks/containerd.ts'
import { GUARDED_HOOK, WRAPPER } from '../../../src/command/hooks/entry.ts'
import { parseToml } from '../../../src/command/hooks/toml.ts'
import { containerdOf, type Release } from './containerd-programs.ts'
import { fixture, siteOf, withoutRecords } from './site.ts'

const CONFIG = 'etc/containerd/config.toml'
const SPEC = 'etc/procveil/containerd-base-spec.json'
const DROP_IN = 'etc/containerd/conf.d/50-procveil.toml'
const V1 = 'cri'
const V2 = 'io.containerd.grpc.v1.cri'
const V3 = 'io.containerd.cri.v1.runtime'

/** A file as somebody ships it, the containerd that reads it, and the plugin's name in it. */
const CASES: readonly [string, Release, string][] = [
  ['debian', '1.6', V2],
  ['debian', '2.1', V2],
  ['docker-ce', '1.7', V1],
  ['docker-ce', '2.1', V3],
  ['default-1.6', '1.6', V2],
  ['kubeadm-1.7', '1.7', V2],
  ['default-2.1', '2.1', V3],
]

for (const [name, release, plugin] of CASES) {
  t.test(`${name} under containerd ${release}`, async t => {
    const before = fixture(`containerd/${name}.toml`)
    const site = siteOf(t, { [CONFIG]: before }, containerdOf(release))
    const said = () => criRuntimesOf(parseToml('read', site.host.read(CONFIG)), plugin)

    t.match(
      site.configure('containerd', { dryRun: true }),
      /^\+base_runtime_spec = "\/etc\/procveil/m,
    )
    t.strictSame(site.files(), { [CONFIG]: before }, 'a dry run changes nothing')

    t.match(site.configure('containerd'), /systemctl restart containerd\n.*handler: procveil/)
    t.ok(site.host.read(CONFIG).startsWith(before), 'every byte stays')
    t.match(said()?.runtimes.procveil, { base_runtime_spec: `/${SPEC}` })
    t.not(said()?.defaultName, 'procveil')
    const once = site.files()
    t.match(site.configure('containerd'), /already configured/)
    t.strictSame(site.files(), once, 'twice is once')

    site.configure('containerd', { setAsDefault: true })
    t.equal(said()?.defaultName, 'procveil')
    const asDefault = site.files()
    t.match(site.configure('containerd'), /already configured/)
    t.strictSame(site.files(), asDefault, 'a later run leaves the default as it is')

    t.match(site.configure(undefined, { undo: true }), /restored .*\nremoved .*base-spec/)
    t.strictSame(site.files(), { [CONFIG]: before })
  })
}

t.test('the runtime is a copy of the default one', async t => {
  const site = siteOf(t, { [CONFIG]: fixture('containerd/kubeadm-1.7.toml') }, containerdOf('1.7'))
  site.configure('containerd')
  const { runtimes = {} } = criRuntimesOf(parseToml('read', site.host.read(CONFIG)), V2) ?? {}
  t.strictSame(runtimes.procveil, {
    runtime_type: 'io.containerd.runc.v2',
    sandbox_mode: 'podsandbox',
    options: { SystemdCgroup: true },
    base_runtime_spec: `/${SPEC}`,
    pod_annotations: ['io.procveil.*'],
  })
})

t.test('hooks hear what pods are annotated with for us', async t => {
  const listed = (line: string) => {
    const before = `version = 3\n[plugins."${V3}".containerd.runtimes.runc]\n${line}\n`
    const site = siteOf(t, { [CONFIG]: before }, containerdOf('2.1'))
    site.configure('containerd')
    const said = criRuntimesOf(parseToml('read', site.host.read(CONFIG)), V3)
    return said?.runtimes.procveil?.pod_annotations
  }
  t.strictSame(listed(''), ['io.procveil.*'])
  t.strictSame(listed('pod_annotations = ["a.*", "b/*"]'), ['a.*', 'b/*', 'io.procveil.*'])
  t.strictSame(listed('pod_annotations = ["io.procveil.*"]'), ['io.procveil.*'])
})

t.test('1.x keeps the runtimes that it has by itself', async t => {
  const site = siteOf(t, { [CONFIG]: fixture('containerd/debian.toml') }, containerdOf('1.6'))
  site.configure('containerd')
  const { runtimes = {} } = criRuntimesOf(parseToml('read', site.host.read(CONFIG)), V2) ?? {}
  t.strictSame(Object.keys(runtimes), ['runc', 'procveil'])
  // Somebody adds a runtime, so that runc would be lost again.
  const added = `[plugins."${V2}".containerd.runtimes.kata]\nruntime_type = "kata"\n`
  site.host.set({ [CONFIG]: site.host.read(CONFIG) + added })
  site.configure('containerd', { undo: true })
  const left = criRuntimesOf(parseToml('read', site.host.read(CONFIG)), V2)
  t.strictSame(Object.keys(left?.runtimes ?? {}).sort(), ['kata', 'runc'])
})

t.test('the specification is that of other containers, with the hook', async t => {
  const spec = (config: string, files: Readonly<Record<string, string>> = {}) => {
    const site = siteOf(t, { [CONFIG]: config, ...files }, containerdOf('2.1'))
    site.configure('containerd')
    return site.host.read(SPEC)
  }
  const hooks = { createRuntime: [GUARDED_HOOK], poststop: [GUARDED_HOOK] }
  t.strictSame(JSON.parse(spec('version = 3\n')), {
    ...JSON.parse(fixture('containerd/oci-spec-1.6.json')),
    hooks,
  })
  // kubespray has one of its own, and 64-bit limits are no JavaScript numbers.
  const own =
    '{"process": {"rlimits": [{"hard": 18446744073709551615}]}, "hooks": {"poststop": [{"path": "/x"}]}}'
  const made = spec(
    `version = 3\n[plugins."${V3}".containerd.runtimes.runc]\nbase_runtime_spec = "/etc/containerd/cri-base.json"\n`,
    { 'etc/containerd/cri-base.json': own },
  )
  t.match(made, '18446744073709551615')
  t.strictSame(JSON.parse(made).hooks, {
    poststop: [{ path: '/x' }, GUARDED_HOOK],
    createRuntime: [GUARDED_HOOK],
  })
})

t.test('a file is made where there is none', async t => {
  for (const [release, version] of [
    ['1.6', 2],
    ['2.1', 3],
  ] as const) {
    const site = siteOf(t, {}, containerdOf(release))
    site.configure('containerd')
    t.match(site.host.read(CONFIG), new RegExp(`^version = ${version}\n`))
    site.configure('containerd', { undo: true })
    t.strictSame(site.files(), {})
  }
})

t.test('a file of its own is used where containerd reads one and merges it', async t => {
  const before = fixture('containerd/kubeadm-2.2.toml')
  const site = siteOf(t, { [CONFIG]: before }, containerdOf('2.1'))
  site.configure('containerd', { setAsDefault: true })
  t.equal(site.host.read(CONFIG), before)
  const config = parseToml('read', site.host.read(DROP_IN))
  t.equal(config.version, 3)
  const said = criRuntimesOf(config, V3)
  t.equal(said?.defaultName, 'procveil')
  t.match(said?.runtimes.procveil, { options: { SystemdCgroup: true } })
  t.match(site.configure('containerd'), /already configured/)
  site.configure('containerd', { undo: true })
  t.strictSame(site.files(), { [CONFIG]: before })
  t.notOk(site.host.has('etc/containerd/conf.d'))
})

t.test('a file that is imported later may set another default, which is told', async t => {
  const site = siteOf(
    t,
    {
      [CONFIG]: 'version = 3\nimports = ["conf.d/*.toml"]\n',
      'etc/containerd/conf.d/99-other.toml': `version = 3\n[plugins."${V3}".containerd]\ndefault_runtime_name = "other"\n[plugins."${V3}".containerd.runtimes.other]\nruntime_type = "other"\n`,
    },
    containerdOf('2.1'),
  )
  const before = site.files()
  t.throws(() => site.configure('containerd', { setAsDefault: true }), {
    message: /default_runtime_name is other all the same/,
  })
  t.strictSame(site.files(), before)
  site.configure('containerd')
  t.match(site.host.read(DROP_IN), 'runtime_type = "other"', 'the default one is copied')
})

t.test('1.x gets no file of its own', async t => {
  const config = 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n'
  const site = siteOf(t, { [CONFIG]: config }, containerdOf('1.7'))
  site.configure('containerd')
  t.notOk(site.host.has(DROP_IN))
  t.match(site.host.read(CONFIG), 'runtimes.procveil')
})

t.test('a disabled CRI plugin is told of', async t => {
  const site = siteOf(t, { [CONFIG]: fixture('containerd/docker-ce.toml') }, containerdOf('2.1'))
  t.match(site.configure('containerd'), /^note: disabled_plugins in .* names cri/m)
})

t.test('the default is set in the place where it stands', async t => {
  const table = `[plugins."${V2}".containerd]`
  const texts: [string, string][] = [
    [
      `version = 2\n  ${table}\n    default_runtime_name = 'runc' # ours\n`,
      `'runc' # ours\n    default_runtime_name = "procveil"\n`,
    ],
    [
      `version = 2\n${table}\n[other]\n`,
      `${table}\n# begin procveil\ndefault_runtime_name = "procveil"\n`,
    ],
    [`version = 2\n${table}`, `${table}\n# begin procveil\ndefault_runtime_name = "procveil"\n`],
  ]
  for (const [before, part] of texts) {
    const site = siteOf(t, { [CONFIG]: before }, containerdOf('2.1'))
    site.configure('containerd', { setAsDefault: true })
    t.match(site.host.read(CONFIG), part)
    site.host.set({ [CONFIG]: `${site.host.read(CONFIG)}# mine\n` })
    t.match(site.configure('containerd', { undo: true }), /others have edited since/)
    t.strictSame(withoutRecords(site.files()), {
      [CONFIG]: `${before.endsWith('\n') ? before : `${before}\n`}# mine\n`,
    })
  }
})

t.test('what cannot be edited is left alone', async t => {
  const inline = `version = 3\n[plugins."${V3}"]\ncontainerd = { default_runtime_name = "runc" }\n`
  const cases: [string, RegExp][] = [
    ['version = ', /^Cannot edit \/etc\/containerd\/config.toml: line 1, column/],
    [inline, /leaves no place for one; add by hand:\n\[plugins/],
    [
      `version = 3\n[plugins."${V3}".containerd.runtimes.procveil]\nruntime_type = "x"\n`,
      /it has one, which procveil configure did not write/,
    ],
  ]
  for (const [text, message] of cases) {
    const site = siteOf(t, { [CONFIG]: text }, containerdOf('2.1'))
    t.throws(() => site.configure('containerd'), { message })
    t.strictSame(site.files(), { [CONFIG]: text })
  }
  t.throws(() => siteOf(t, {}).configure('containerd'), {
    message: /no program containerd in PATH/,
  })
  const failing = { ...containerdOf('2.1'), ctr: () => ({ status: 1, stderr: 'ctr: no' }) }
  t.throws(() => siteOf(t, {}, failing).configure('containerd'), {
    message: 'Cannot make /etc/procveil/containerd-base-spec.json: ctr oci spec failed: ctr: no',
  })
})

t.test('what containerd does not accept is not written', async t => {
  const { containerd, ...others } = containerdOf('2.1')
  const refusing = (args: readonly string[]) =>
    args[0] === 'config'
      ? (containerd?.(args) ?? {})
      : { status: 1, stderr: 'time="x" level=fatal msg="bad \\"thing\\" in it"\n' }
  const site = siteOf(t, { [CONFIG]: 'version = 3\n' }, { ...others, containerd: refusing })
  t.throws(() => site.configure('containerd'), {
    message:
      'Cannot configure containerd: it does not accept /etc/containerd/config.toml: bad "thing" in it',
  })
  t.strictSame(site.files(), { [CONFIG]: 'version = 3\n' })
})

t.test('lines that lost their marks are left to a person', async t => {
  const site = siteOf(t, { [CONFIG]: 'version = 3\n' }, containerdOf('2.1'))
  site.configure('containerd')
  const unmarked = site.host.read(CONFIG).replaceAll(/^# (begin|end) procveil\n/gm, '')
  site.host.set({ [CONFIG]: unmarked })
  t.throws(() => site.configure('containerd', { undo: true }), { message: /outside of the lines/ })
  t.equal(site.host.read(CONFIG), unmarked)
  t.ok(site.host.has(SPEC), 'containerd does not start without the specification that a file names')
})

for (const [name, release, plugin] of CASES) {
  t.test(`procveil-runtime in ${name} under containerd ${release}`, async t => {
    const before = fixture(`containerd/${name}.toml`)
    const site = siteOf(t, { [CONFIG]: before }, containerdOf(release))
    const said = () => criRuntimesOf(parseToml('read', site.host.read(CONFIG)), plugin)
    t.match(site.configure('containerd', { asRuntime: true }), /handler: procveil/)
    t.ok(site.host.read(CONFIG).startsWith(before), 'every byte stays')
    t.match(said()?.runtimes.procveil, {
      runtime_type: 'io.containerd.runc.v2',
      options: { BinaryName: WRAPPER },
    })
    t.notOk(site.host.has(SPEC), 'its containers are made as all others are')
    const once = site.files()
    t.match(site.configure('containerd', { asRuntime: true }), /already configured/)
    t.match(site.configure('containerd'), /already configured/)
    t.strictSame(site.files(), once, 'twice is once')
    site.configure('containerd', { setAsDefault: true })
    t.equal(said()?.defaultName, 'procveil')
    site.configure('containerd', { undo: true })
    t.strictSame(withoutRecords(site.files()), { [CONFIG]: before })
  })
}

t.test('procveil-runtime keeps what the default runtime has, and runs what that ran', async t => {
  const kubeadm = fixture('containerd/kubeadm-1.7.toml')
  const at = kubeadm.indexOf('BinaryName = ""', kubeadm.indexOf('.runtimes.runc.options]'))
  const before = `${kubeadm.slice(0, at)}BinaryName = "/usr/bin/crun"${kubeadm.slice(at + 15)}`
  t.not(before, kubeadm)
  const site = siteOf(t, { [CONFIG]: before }, containerdOf('1.7'))
  site.configure('containerd', { asRuntime: true })
  const { runtimes = {} } = criRuntimesOf(parseToml('read', site.host.read(CONFIG)), V2) ?? {}
  t.strictSame(runtimes.procveil, {
    runtime_type: 'io.containerd.runc.v2',
    sandbox_mode: 'podsandbox',
    options: { SystemdCgroup: true, BinaryName: WRAPPER },
    pod_annotations: ['io.procveil.*'],
  })
  t.equal(site.host.read('etc/procveil/runtime'), '/usr/bin/crun\n')
  site.configure('containerd', { undo: true })
  t.strictSame(withoutRecords(site.files()), { [CONFIG]: before })
})

t.test('a shim that runs no program like runc has nothing before it', async t => {
  const before = fixture('containerd/kubeadm-1.7.toml').replaceAll('runc.v2', 'kata.v2')
  const site = siteOf(t, { [CONFIG]: before }, containerdOf('1.7'))
  t.throws(() => site.configure('containerd', { asRuntime: true }), {
    message: /that is "io.containerd.kata.v2", and must be io.containerd.runc.v2/,
  })
  t.strictSame(withoutRecords(site.files()), { [CONFIG]: before })
})
