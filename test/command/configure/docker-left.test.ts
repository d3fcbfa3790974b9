import t from 'tap'
import { WRAPPER } from '../../../src/command/hooks/entry.ts'
import { fixture, siteOf, type TestSite, withoutRecords } from './site.ts'

const CONFIG = 'etc/docker/daemon.json'
const RECORD = 'var/lib/procveil/configured/docker.json'

/** A container as docker keeps it, by the runtime that it was created with. */
const container = (name: string, Runtime: string, root = 'var/lib/docker') => ({
  [`${root}/containers/${name}0123456789/hostconfig.json`]: JSON.stringify({ Runtime }),
  [`${root}/containers/${name}0123456789/config.v2.json`]: JSON.stringify({ Name: `/${name}` }),
})

const settingsOf = (site: TestSite) => JSON.parse(site.host.read(CONFIG))
const configOf = (site: TestSite) => site.host.has(CONFIG) && site.host.read(CONFIG)

t.test('an entry stays for containers that name it, until they are gone', async t => {
  for (const name of ['features', 'tabs', 'two-spaces', 'one-line', 'windows-lines']) {
    const before = fixture(`docker/${name}.json`)
    const path = name === 'two-spaces' ? 'nvidia-container-runtime' : 'runc'
    const others = container('web', 'runc')
    const site = siteOf(t, { [CONFIG]: before, ...others, ...container('db', 'procveil') })
    site.configure('docker', { setAsDefault: true })
    const configured = site.files()
    const shown = site.configure('docker', { undo: true, dryRun: true })
    t.match(shown, /^-.*"default-runtime": *"procveil"/m, 'a dry run shows what stays')
    t.match(shown, new RegExp(`^\\+.*"path": *"${path}"`, 'm'))
    t.strictSame(site.files(), configured)

    const said = site.configure('docker', { undo: true })
    t.match(
      said,
      `kept "procveil": {"path":"${path}"} in the runtimes of /etc/docker/daemon.json for 1 container that was created with it (db), which docker starts without procveil`,
    )
    t.match(said, /take it out by hand when they are gone/)
    const { runtimes: had, ...were } = JSON.parse(before)
    const { runtimes, ...rest } = settingsOf(site)
    t.strictSame([rest, runtimes], [were, { ...had, procveil: { path } }], name)
    const left = site.files()
    t.match(site.configure(undefined, { undo: true }), /^kept "procveil"/, 'it is told again')
    t.strictSame(site.files(), left)

    site.host.set({ 'var/lib/docker/containers/db0123456789': undefined })
    t.match(site.configure('docker', { undo: true }), /restored/)
    t.strictSame(withoutRecords(site.files()), { [CONFIG]: before, ...others }, 'to the byte')
    t.notOk(site.host.has(RECORD))
  }
})

t.test('the entry has what ran behind procveil-runtime, with its arguments', async t => {
  const runsc = { path: '/usr/local/bin/runsc', runtimeArgs: ['--platform=kvm'] }
  const before = JSON.stringify({ runtimes: { runsc }, 'default-runtime': 'runsc' })
  const site = siteOf(t, { [CONFIG]: before, ...container('a', 'procveil') })
  site.configure('docker', { setAsDefault: true })
  site.configure('docker', { undo: true })
  t.notOk(site.host.has('etc/procveil/runtime'))
  t.strictSame(settingsOf(site), {
    runtimes: { runsc, procveil: runsc },
    'default-runtime': 'runsc',
  })
  site.configure('docker', { undo: true })
  t.strictSame(settingsOf(site).runtimes.procveil, runsc, 'also when it is asked for again')
})

t.test('containers are found where docker has them, and five of them named', async t => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
  const undone = (config: string, root: string, flag = '') => {
    const all = names.map(name => container(name, 'procveil', root))
    const shown = `ExecStart={ argv[]=/usr/bin/dockerd ${flag} ; }\n`
    const site = siteOf(t, Object.assign({ [CONFIG]: config }, ...all), {
      systemctl: () => ({ stdout: shown }),
    })
    site.configure('docker', { asRuntime: true })
    return site.configure('docker', { undo: true })
  }
  const said = /for 7 containers that were created with it \(a, b, c, d, e, and 2 more\)/
  t.match(undone('{}', 'var/lib/docker'), said)
  t.match(undone('{}', 'var/lib/docker/100000.100000'), said, 'with userns-remap')
  t.match(undone('{"data-root": "/srv/docker"}', 'srv/docker'), said)
  t.match(undone('{}', 'srv/docker', '--data-root=/srv/docker'), said)
})

t.test('containers that cannot be looked for are told of', async t => {
  const undone = (files: Readonly<Record<string, string>>) => {
    const site = siteOf(t, { [CONFIG]: '{}', ...files })
    site.configure('docker', { setAsDefault: true })
    const said = site.configure('docker', { undo: true })
    t.equal(configOf(site), '{}')
    return said
  }
  t.match(undone({}), /note: containers of docker are not found; .* "runtimes": {"procveil"/)
  t.notMatch(undone(container('a', 'runc')), /note|kept/)
  t.notMatch(undone({ 'var/lib/docker/containers/a/hostconfig.json': '{"Runt' }), /note|kept/)
})

t.test('a file that was made for us stays as long as the entry', async t => {
  const site = siteOf(t, container('a', 'procveil'))
  site.configure('docker', { setAsDefault: true })
  site.configure('docker', { undo: true })
  t.strictSame(settingsOf(site), { runtimes: { procveil: { path: 'runc' } } })
  site.host.set({ 'var/lib/docker/containers': undefined })
  site.configure('docker', { undo: true })
  t.strictSame(withoutRecords(site.files()), {})
  t.notOk(site.host.has('etc/docker'))
})

t.test('what others have edited since stays beside the entry', async t => {
  const site = siteOf(t, { [CONFIG]: '{}', ...container('a', 'procveil') })
  const edit = (settings: unknown) =>
    site.host.set({ [CONFIG]: JSON.stringify(Object.assign(settingsOf(site), settings)) })
  site.configure('docker', { setAsDefault: true })
  edit({ debug: true })
  site.configure('docker', { undo: true })
  t.strictSame(settingsOf(site), { debug: true, runtimes: { procveil: { path: 'runc' } } })
  edit({ 'log-driver': 'journald' })
  site.host.set({ 'var/lib/docker/containers/a0123456789': undefined })
  site.configure('docker', { undo: true })
  t.strictSame(settingsOf(site), { debug: true, 'log-driver': 'journald' })
})

t.test('an entry that was left is taken over, by its record or its shape', async t => {
  const ours = { procveil: { path: WRAPPER } }
  for (const [path, config] of [
    ['runc', '{}'],
    ['/opt/crun', '{"runtimes": {"c": {"path": "/opt/crun"}}, "default-runtime": "c"}'],
  ] as const) {
    const site = siteOf(t, { [CONFIG]: config, ...container('a', 'procveil') })
    site.configure('docker', { setAsDefault: true })
    site.configure('docker', { undo: true })
    t.strictSame(settingsOf(site).runtimes.procveil, { path })
    site.configure('docker')
    t.strictSame(settingsOf(site).runtimes.procveil, { path }, 'the device takes it from nobody')
    t.equal(settingsOf(site).features.cdi, true)
    site.configure('docker', { asRuntime: true })
    t.match(settingsOf(site), { runtimes: ours, features: { cdi: true } })
    site.host.set({ 'var/lib/docker/containers/a0123456789': undefined })
    site.configure('docker', { undo: true })
    t.equal(site.host.read(CONFIG), config)
  }

  const left = '{"debug":true,"runtimes":{"procveil":{"path":"runc"}}}'
  const purged = siteOf(t, { [CONFIG]: left, ...container('a', 'procveil') })
  purged.configure('docker', { asRuntime: true })
  t.strictSame(settingsOf(purged), { debug: true, runtimes: ours })
  purged.configure('docker', { undo: true })
  t.equal(purged.host.read(CONFIG), left)
  for (const entry of [
    { path: '/opt/mine' },
    { path: 'crun' },
    { runtimeType: 'io.containerd.runc.v2' },
    { path: 'runc', options: {} },
  ]) {
    const site = siteOf(t, { [CONFIG]: JSON.stringify({ runtimes: { procveil: entry } }) })
    t.throws(() => site.configure('docker', { asRuntime: true }), { message: /it has one, which/ })
  }
})
