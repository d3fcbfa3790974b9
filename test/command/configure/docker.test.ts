import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { renderCdi } from '../../../src/command/hooks/entry.ts'
import { fixture, type Programs, siteOf, withoutRecords } from './site.ts'

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
  const site = siteOf(t, { [CONFIG]: '{}' })
  t.throws(() => site.configure('docker', { setAsDefault: true }), {
    message: /no container a device/,
  })
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
