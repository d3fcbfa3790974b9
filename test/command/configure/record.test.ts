import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import t from 'tap'
import { RUNTIMES } from '../../../src/command/configure/names.ts'
import { run } from '../../../src/command/configure/run.ts'
import { siteOf, withoutRecords } from './site.ts'

const CONFIG = 'etc/docker/daemon.json'
const RECORD = 'var/lib/procveil/configured/docker.json'
const isRoot = process.getuid?.() === 0

t.test('mode and owner stay, also when it is undone', async t => {
  const site = siteOf(t, { [CONFIG]: '{}' })
  const path = site.host.path(CONFIG)
  chmodSync(path, 0o640)
  if (isRoot) chownSync(path, 7, 8)
  const look = () => {
    const { mode, uid, gid } = statSync(path)
    return { mode: mode & 0o7777, uid, gid }
  }
  const before = look()
  site.configure('docker')
  t.strictSame(look(), before)
  site.configure('docker', { undo: true })
  t.strictSame(look(), before)
  t.strictSame(site.host.list('etc/docker'), ['daemon.json'], 'no temporary file is left')
})

t.test('what is new is for all to read, and what is recorded for root alone', async t => {
  const site = siteOf(t, {})
  site.configure('docker')
  t.equal(statSync(site.host.path('etc/cdi/procveil.json')).mode & 0o777, 0o644)
  t.equal(statSync(site.host.path(RECORD)).mode & 0o777, 0o600)
  t.equal(statSync(site.host.path('var/lib/procveil/configured')).mode & 0o777, 0o700)
})

t.test('a symbolic link stays one, and its target is written', async t => {
  const site = siteOf(t, { 'opt/docker.json': '{"debug":true}' })
  mkdirSync(site.host.path('etc/docker'), { recursive: true })
  symlinkSync('../../opt/docker.json', site.host.path(CONFIG))
  site.configure('docker')
  t.equal(readlinkSync(site.host.path(CONFIG)), '../../opt/docker.json')
  t.equal(JSON.parse(site.host.read('opt/docker.json')).features.cdi, true)
  site.configure('docker', { undo: true })
  t.ok(lstatSync(site.host.path(CONFIG)).isSymbolicLink())
  t.equal(site.host.read('opt/docker.json'), '{"debug":true}')
})

t.test('a link to nothing, and what is no text, are told of', async t => {
  const site = siteOf(t, { 'etc/docker/x': '' })
  symlinkSync('gone.json', site.host.path(CONFIG))
  t.throws(() => site.configure('docker'), { message: /it is a symbolic link to nothing/ })
  const other = siteOf(t, { [`${CONFIG}/in-a-directory`]: '' })
  t.throws(() => other.configure('docker'), { message: 'Cannot read /etc/docker/daemon.json' })
  const binary = siteOf(t, { 'etc/docker/x': '' })
  writeFileSync(binary.host.path(CONFIG), Buffer.from([0x7b, 0xff, 0x7d]))
  t.throws(() => binary.configure('docker'), { message: /it is no text in UTF-8/ })
})

t.test('it is recorded before it is done', async t => {
  const site = siteOf(t, { [CONFIG]: '{}' })
  // No file can be made in a directory that is a file.
  site.host.set({ 'etc/cdi': 'in the way' })
  t.throws(() => site.configure('docker'), { message: /^Cannot write \/etc\/cdi\/procveil.json/ })
  t.ok(site.host.has(RECORD))
  t.equal(site.host.read(CONFIG), '{}')
  t.notMatch(site.configure('docker', { undo: true }), /edited|alone|restored/)
  t.strictSame(withoutRecords(site.files()), { [CONFIG]: '{}', 'etc/cdi': 'in the way' })
  t.notOk(site.host.has(RECORD))
})

t.test('configured again after an edit, it goes back to what the editor had', async t => {
  const site = siteOf(t, { [CONFIG]: '{}' })
  site.configure('docker')
  site.host.set({ [CONFIG]: '{"features": {"cdi": true}, "debug": true}' })
  site.configure('docker')
  site.configure('docker', { undo: true })
  t.strictSame(JSON.parse(site.host.read(CONFIG)), { debug: true })
})

t.test('a file that is gone since stays gone', async t => {
  const site = siteOf(t, { [CONFIG]: '{}' })
  site.configure('docker')
  site.host.set({ [CONFIG]: undefined })
  site.configure('docker', { undo: true })
  t.strictSame(site.files(), {})
})

t.test('a record that is damaged is told of, and nothing is written', async t => {
  for (const text of ['', '{}', '{"runtime": "docker", "files": [{"path": "/x"}]}']) {
    const site = siteOf(t, { [CONFIG]: '{}', [RECORD]: text })
    const message = /^Cannot read \/var\/lib\/procveil\/configured\/docker.json: /
    t.throws(() => site.configure('docker'), { message })
    t.throws(() => site.configure(undefined, { undo: true }), { message })
    t.equal(site.host.read(CONFIG), '{}')
  }
})

t.test('all is undone when no runtime is named, also when one cannot be', async t => {
  const site = siteOf(t, { [CONFIG]: '{}' })
  site.configure('docker')
  site.configure('podman')
  site.host.set({ [CONFIG]: 'damaged' })
  t.throws(() => site.configure(undefined, { undo: true }), { message: /holds no JSON/ })
  t.notOk(site.host.has('usr/share'), 'podman is undone')
  t.ok(site.host.has(RECORD))
})

t.test('an undo is shown without being done', async t => {
  const site = siteOf(t, { [CONFIG]: '{"debug":true}\n' })
  t.match(site.configure('docker', { undo: true, dryRun: true }), /nothing is to be undone/)
  site.configure('docker')
  const before = site.files()
  const shown = site.configure('docker', { undo: true, dryRun: true })
  t.match(shown, '--- /etc/docker/daemon.json\n+++ /etc/docker/daemon.json')
  t.match(shown, '--- /etc/cdi/procveil.json\n+++ /dev/null')
  t.strictSame(site.files(), before)
  site.configure('podman')
  site.configure('crio')
  t.match(
    site.configure(undefined, { undo: true, dryRun: true }),
    '50-procveil.json\n+++ /dev/null',
  )
})

t.test('a command line that asks for nothing known is told what is known', async t => {
  const known = RUNTIMES.join(', ')
  const site = siteOf(t, {})
  t.throws(() => site.configure('lxc'), {
    message: `Cannot configure lxc: it is no runtime that procveil knows; known are ${known}`,
  })
  t.throws(() => site.configure(undefined), { message: new RegExp(known) })
  site.configure('podman', { runtimeConfig: 'own.conf' })
})

t.test('programs are run, and their reasons found', async t => {
  t.match(run('false', []), { status: 1, isMissing: false })
  t.match(run('no-such-program', []), { status: undefined, isMissing: true })
  t.match(run('sh', ['-c', 'echo a; echo b >&2; exit 3']), {
    status: 3,
    stdout: 'a\n',
    stderr: 'b\n',
  })
})
