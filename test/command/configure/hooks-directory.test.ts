import t from 'tap'
import { renderHooksDirectoryEntry } from '../../../src/command/hooks/entry.ts'
import { fixture, siteOf, withoutRecords } from './site.ts'

const FILE = 'usr/share/containers/oci/hooks.d/50-procveil.json'
const CONTAINERS_CONF = 'etc/containers/containers.conf'
const hooksDir = (...directories: string[]) =>
  `[engine]\nhooks_dir = ${JSON.stringify(directories)}\n`

t.test('podman and CRI-O get a file in the directory that both read', async t => {
  for (const runtime of ['podman', 'crio']) {
    const site = siteOf(t, { 'etc/crio/crio.conf.d/10-crio.conf': fixture('crio/10-crio.conf') })
    const before = site.files()
    t.match(
      site.configure(runtime, { dryRun: true }),
      /^--- \/dev\/null\n\+\+\+ \/usr\/share\/containers/,
    )
    t.strictSame(site.files(), before)
    const printed = site.configure(runtime)
    t.match(printed, `wrote /${FILE}`)
    t.notMatch(printed, /restart/)
    t.equal(site.host.read(FILE), renderHooksDirectoryEntry())
    t.match(site.configure(runtime), `${runtime} is already configured: /${FILE}`)
    t.match(site.configure(runtime, { undo: true }), `removed /${FILE}`)
    t.strictSame(site.files(), before)
    t.notOk(site.host.has('usr/share'), 'what was made for it is gone')
  }
})

t.test('one keeps the file when the other is undone', async t => {
  for (const [first, second] of [
    ['podman', 'crio'],
    ['crio', 'podman'],
  ] as const) {
    const site = siteOf(t, {})
    site.configure('podman')
    t.match(site.configure('crio'), /crio is already configured/)
    t.match(
      site.configure(first, { undo: true }),
      `kept /${FILE}: ${second} has the hook by it too`,
    )
    t.ok(site.host.has(FILE))
    t.match(site.configure(first, { undo: true }), /nothing is to be undone/)
    site.configure(second, { undo: true })
    t.strictSame(site.files(), {})
    t.notOk(site.host.has('usr/share'))
  }
  const both = siteOf(t, {})
  both.configure('podman')
  both.configure('crio')
  both.configure(undefined, { undo: true })
  t.strictSame(both.files(), {})
})

t.test('the file of the package is neither written nor removed', async t => {
  const site = siteOf(t, { [FILE]: renderHooksDirectoryEntry() })
  const before = site.files()
  t.match(site.configure('podman'), /already configured/)
  t.strictSame(site.files(), before)
  site.configure('podman', { undo: true })
  t.strictSame(site.files(), before)
})

t.test('an earlier file of ours is written anew, and comes back', async t => {
  const site = siteOf(t, { [FILE]: '{"old": "procveil"}' })
  site.configure('podman')
  t.equal(site.host.read(FILE), renderHooksDirectoryEntry())
  site.configure('podman', { undo: true })
  t.strictSame(site.files(), { [FILE]: '{"old": "procveil"}' })
})

t.test('an edited file goes, one that became another stays', async t => {
  const site = siteOf(t, {})
  site.configure('podman')
  site.host.set({ [FILE]: renderHooksDirectoryEntry().replace('20', '30') })
  t.match(site.configure('podman', { undo: true }), /removed .* edited since/)
  site.configure('podman')
  site.host.set({ [FILE]: '{}' })
  t.match(site.configure('podman', { undo: true }), `left /${FILE} alone`)
  t.strictSame(site.files(), { [FILE]: '{}' })
})

t.test('the directory is the one that is configured', async t => {
  const where = (files: Readonly<Record<string, string>>, runtime = 'podman') => {
    const site = siteOf(t, files)
    const printed = site.configure(runtime)
    const made = Object.keys(withoutRecords(site.files())).find(path =>
      path.endsWith('procveil.json'),
    )
    return { made, printed }
  }
  const etc = '/etc/containers/oci/hooks.d'
  const inEtc = `${etc.slice(1)}/50-procveil.json`
  t.equal(where({ [CONTAINERS_CONF]: '[engine]\n#hooks_dir = []\n' }).made, FILE)
  const excluded = where({ [CONTAINERS_CONF]: hooksDir(etc) })
  t.equal(excluded.made, inEtc)
  t.match(excluded.printed, /note: hooks_dir in .*containers.conf leaves .* out/)
  const appended = `[engine]\nhooks_dir = ["${etc}", {append = true}]\n`
  t.equal(where({ [CONTAINERS_CONF]: appended }).made, FILE)
  t.equal(
    where({ [CONTAINERS_CONF]: hooksDir('/usr/share/containers/oci/hooks.d', etc) }).made,
    FILE,
  )
  const dropIn = { [`${CONTAINERS_CONF}.d/10-a.conf`]: hooksDir('/opt/hooks') }
  t.equal(where({ [CONTAINERS_CONF]: hooksDir(etc), ...dropIn }).made, 'opt/hooks/50-procveil.json')
  t.equal(where({ [CONTAINERS_CONF]: hooksDir() }).made, FILE)
  const crio = { 'etc/crio/crio.conf': `[crio.runtime]\nhooks_dir = ["${etc}"]\n` }
  t.equal(where(crio, 'crio').made, inEtc)
  const other = siteOf(t, { 'opt/own.conf': hooksDir('/opt/hooks') })
  other.configure('podman', { runtimeConfig: '/opt/own.conf' })
  t.ok(other.host.has('opt/hooks/50-procveil.json'))
})

t.test('what cannot be configured is told', async t => {
  const none = siteOf(t, { 'etc/crio/crio.conf': '[crio.runtime]\nhooks_dir = []\n' })
  t.throws(() => none.configure('crio'), {
    message: /hooks_dir in \/etc\/crio\/crio.conf is empty/,
  })
  const damaged = siteOf(t, { [CONTAINERS_CONF]: '[engine' })
  t.throws(() => damaged.configure('podman'), {
    message: /^Cannot read \/etc\/containers\/containers.conf: line 1/,
  })
  t.throws(() => siteOf(t, {}).configure('podman', { setAsDefault: true }), {
    message: /for all containers as it is/,
  })
})
