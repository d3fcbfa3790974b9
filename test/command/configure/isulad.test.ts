import t from 'tap'
import { HOOK_SPEC, renderHookSpec } from '../../../src/command/hooks/entry.ts'
import { fixture, siteOf } from './site.ts'

const CONFIG = 'etc/isulad/daemon.json'
const SHIPPED = 'etc/default/isulad/hooks/default.json'
const OWN = 'etc/procveil/hookspec.json'
const PACKAGED = 'usr/share/procveil/hooks/hookspec.json'
const shipped = { [CONFIG]: fixture('isulad/daemon.json'), [SHIPPED]: fixture('isulad/hooks.json') }
const without = fixture('isulad/daemon.json').replace(/\n.*"hook-spec".*/, '')

t.test('the hooks go into the file that iSulad ships', async t => {
  const site = siteOf(t, shipped)
  t.match(site.configure('isulad', { dryRun: true }), `--- /${SHIPPED}\n+++ /${SHIPPED}`)
  t.strictSame(site.files(), shipped)
  t.match(site.configure('isulad'), /restart isulad, which reads hooks only when it starts/)
  t.strictSame(JSON.parse(site.host.read(SHIPPED)), HOOK_SPEC)
  t.equal(site.host.read(CONFIG), shipped[CONFIG])
  t.match(site.configure('isulad'), /already configured/)
  site.configure('isulad', { undo: true })
  t.strictSame(site.files(), shipped)
})

t.test('the hooks of others stay, whenever they came', async t => {
  const theirs = { path: '/usr/bin/theirs', args: ['theirs'] }
  const spec = JSON.stringify({ prestart: [theirs], createRuntime: [] }, undefined, 4)
  const site = siteOf(t, { ...shipped, [SHIPPED]: spec })
  site.configure('isulad')
  t.strictSame(JSON.parse(site.host.read(SHIPPED)), {
    prestart: [theirs, ...HOOK_SPEC.prestart],
    createRuntime: [],
    poststop: HOOK_SPEC.poststop,
  })
  const later = JSON.parse(site.host.read(SHIPPED))
  later.poststop.unshift(theirs)
  site.host.set({ [SHIPPED]: JSON.stringify(later) })
  t.match(site.configure('isulad', { undo: true }), /others have edited since/)
  t.strictSame(JSON.parse(site.host.read(SHIPPED)), {
    prestart: [theirs],
    createRuntime: [],
    poststop: [theirs],
  })
})

t.test('hook-spec names our file where it names none', async t => {
  const named = without.replace(
    '"start-timeout"',
    '"hook-spec": "/gone.json",\n    "start-timeout"',
  )
  for (const before of [without, named]) {
    const site = siteOf(t, { [CONFIG]: before, [PACKAGED]: renderHookSpec() })
    site.configure('isulad')
    t.equal(JSON.parse(site.host.read(CONFIG))['hook-spec'], `/${PACKAGED}`)
    t.match(site.configure('isulad'), /already configured/)
    site.configure('isulad', { undo: true })
    t.equal(site.host.read(CONFIG), before)
  }
})

t.test('our file is written where the package has none', async t => {
  const site = siteOf(t, { [CONFIG]: without })
  site.configure('isulad')
  t.equal(site.host.read(OWN), renderHookSpec())
  t.equal(JSON.parse(site.host.read(CONFIG))['hook-spec'], `/${OWN}`)
  t.match(site.configure('isulad'), /already configured/)
  site.host.set({ [CONFIG]: site.host.read(CONFIG).replace('overlay2', 'btrfs') })
  site.configure(undefined, { undo: true })
  t.strictSame(site.files(), { [CONFIG]: without.replace('overlay2', 'btrfs') })
})

t.test('comments stay, which iSulad takes', async t => {
  const before = '{\n    // ours\n    "log-level": "ERROR" /* or less */\n}\n'
  const site = siteOf(t, { [CONFIG]: before, [PACKAGED]: renderHookSpec() })
  site.configure('isulad')
  t.equal(
    site.host.read(CONFIG),
    `{\n    // ours\n    "log-level": "ERROR",\n    "hook-spec": "/${PACKAGED}" /* or less */\n}\n`,
  )
  site.configure('isulad', { undo: true })
  t.equal(site.host.read(CONFIG), before)
})

t.test('what cannot be edited is left alone', async t => {
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /^Cannot edit \/etc\/isulad\/daemon.json: it is not there; install iSulad/],
    [{ [CONFIG]: '{"group"' }, /no JSON/],
    [{ [CONFIG]: '{"hook-spec": ["/a"]}' }, /hook-spec is no path but \["\/a"\]/],
    [{ ...shipped, [SHIPPED]: '{"prestart": {}}' }, /prestart is no list but {}/],
  ]
  for (const [files, message] of cases) {
    const site = siteOf(t, files)
    t.throws(() => site.configure('isulad'), { message })
    t.strictSame(site.files(), files)
  }
  t.throws(() => siteOf(t, shipped).configure('isulad', { setAsDefault: true }), {
    message: /for all/,
  })
})
