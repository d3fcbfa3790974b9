import t from 'tap'
import { parseRules } from '../../../src/nri/rules.ts'
import { siteOf, withoutRecords } from './site.ts'

const FILE = 'etc/procveil/nri.json'
const systemctl = { systemctl: () => ({}) }

t.test('annotated pods get the hook, and with --set-as-default all', async t => {
  const site = siteOf(t, { 'run/nri/nri.sock': '' }, systemctl)
  t.match(site.configure('nri', { dryRun: true }), /^--- \/dev\/null\n\+\+\+ \/etc\/procveil/)
  t.notOk(site.host.has(FILE))
  const printed = site.configure('nri', { restart: true })
  t.match(printed, /wrote \/etc\/procveil\/nri.json\n.*reloaded procveil\n/s)
  t.match(printed, /nri: containers of pods with the annotation io.procveil.enabled: "on"/)
  t.notMatch(printed, /no runtime listens/)
  t.strictSame(site.ran, [['systemctl', 'reload-or-restart', 'procveil']])
  const rules = { pods: 'annotated', exceptNamespaces: ['kube-system'], socket: undefined }
  t.strictSame(parseRules(site.host.read(FILE), 'x'), rules)
  t.match(site.configure('nri'), /nri is already configured: \/etc\/procveil\/nri.json/)

  t.match(
    site.configure('nri', { setAsDefault: true }),
    /have procveil read .*nri.json: systemctl reload-or-restart procveil/,
  )
  t.strictSame(parseRules(site.host.read(FILE), 'x'), { ...rules, pods: 'all' })
  site.configure('nri')
  t.match(site.host.read(FILE), '"all"', 'a later run takes nothing back')
  t.match(site.configure('nri', { undo: true }), /removed \/etc\/procveil\/nri.json$/)
  t.strictSame(Object.keys(site.files()), ['run/nri/nri.sock'])
  t.notOk(site.host.has('etc/procveil'))
})

t.test('what an administrator has written stays', async t => {
  const mine = '{"pods": "all", "exceptNamespaces": ["monitoring"], "socket": "/run/x.sock"}'
  const site = siteOf(t, { [FILE]: mine })
  t.match(
    site.configure('nri'),
    /note: no runtime listens at \/run\/x.sock: containerd has it since/,
  )
  t.strictSame(parseRules(site.host.read(FILE), 'x'), JSON.parse(mine))
  site.configure('nri', { undo: true })
  t.strictSame(withoutRecords(site.files()), { [FILE]: mine })

  const edited = siteOf(t, {})
  edited.configure('nri')
  edited.host.set({ [FILE]: mine })
  edited.configure('nri', { setAsDefault: true })
  t.match(parseRules(edited.host.read(FILE), 'x').exceptNamespaces, ['monitoring'])
  edited.host.set({ [FILE]: mine })
  t.match(edited.configure('nri', { undo: true }), /removed .* which others have edited since/)
  t.notOk(edited.host.has(FILE), 'it is switched off all the same')

  const damaged = siteOf(t, { [FILE]: '{"pods":' })
  t.throws(() => damaged.configure('nri'), /^Cannot read \/etc\/procveil\/nri.json/)
})
