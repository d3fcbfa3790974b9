/** The deb packages, and the archive that both kinds of packages are made from. */

import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execaSync } from 'execa'
import t from 'tap'
import { EXECUTABLE } from '../kit/requirements.ts'
import { temporary } from '../kit/temporary.ts'
import { findPackages, needsPackages, PACKAGES, VERSION } from './built.ts'

t.setTimeout(400_000)

t.test(
  'lintian finds nothing that has no reason',
  needsPackages({ lintian: 'lintian' }),
  async t => {
    const debs = [
      ...findPackages('_amd64.deb'),
      ...findPackages('_arm64.deb'),
      ...findPackages('_all.deb'),
    ]
    const args = ['--allow-root', '--fail-on', 'error,warning', ...debs]
    const { stdout, exitCode } = execaSync('lintian', args, { reject: false })
    t.equal(stdout, '')
    t.equal(exitCode, 0)
  },
)

t.test('a deb has the executable as it was built', needsPackages({ dpkg: 'dpkg' }), async t => {
  const directory = temporary(t)
  const [deb = ''] = findPackages('_amd64.deb')
  execaSync('dpkg-deb', ['--extract', deb, directory])
  const packed = join(directory, 'usr/libexec/procveil/procveil')
  t.ok(readFileSync(packed).equals(readFileSync(EXECUTABLE)), 'npm run package is to be run again')
  const configuration = execaSync('dpkg-deb', ['--info', deb, 'conffiles']).stdout.split('\n')
  t.strictSame(configuration.sort(), [
    '/etc/cdi/procveil.json',
    '/etc/logrotate.d/procveil',
    '/etc/procveil/config.json',
  ])
})

t.test('the archive installs and uninstalls itself', needsPackages({ tar: 'tar' }), async t => {
  const directory = temporary(t)
  const root = join(directory, 'root')
  mkdirSync(root)
  const [archive = ''] = findPackages('-linux-x86_64.tar.gz')
  execaSync('tar', ['--extract', '--file', archive, '--directory', directory])
  const install = join(directory, `procveil-${VERSION}-linux-x86_64/install.sh`)
  const run = (...args: string[]) => execaSync(install, ['--root', root, ...args])
  for (const part of ['main', 'podman', 'isulad', 'lxcfs-compat']) run('--part', part)
  const config = join(root, 'etc/procveil/config.json')
  t.equal(readFileSync(config, 'utf8'), '{}\n')
  writeFileSync(config, '{ "swap": "off" }')
  const executable = join(root, 'usr/libexec/procveil/procveil')
  const before = lstatSync(executable).ino
  run()
  t.equal(readFileSync(config, 'utf8'), '{ "swap": "off" }', 'what was changed stays')
  t.not(lstatSync(executable).ino, before, 'an executable that runs is replaced, not written to')
  t.equal(execaSync(executable, ['--version']).stdout, `procveil ${VERSION}`)
  t.throws(() => run('--part', 'docker'), /there is no part docker/)
  t.throws(() => run('--prefix', '/usr/local'), /unknown option --prefix/)

  for (const part of ['lxcfs-compat', 'isulad', 'podman', 'main'])
    run('--uninstall', '--part', part)
  const left = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(path => !lstatSync(join(root, path)).isDirectory())
    .sort()
  t.strictSame(left, [
    'etc/cdi/procveil.json',
    'etc/logrotate.d/procveil',
    'etc/procveil/config.json',
  ])
  t.notOk(existsSync(join(root, 'usr/libexec/procveil')))
})

t.test(
  'SHA256SUMS has the sums of all of them',
  needsPackages({ sha256sum: 'coreutils' }),
  async t => {
    const { stdout } = execaSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], {
      cwd: PACKAGES,
    })
    t.equal(stdout.split('\n').length, readdirSync(PACKAGES).length - 1)
  },
)

t.test('the bill of materials has what the executable has', needsPackages({}), async t => {
  const [file = ''] = findPackages('.cdx.json')
  const bom = JSON.parse(readFileSync(file, 'utf8'))
  t.equal(bom.bomFormat, 'CycloneDX')
  t.match(bom.metadata.component, { name: 'procveil', version: VERSION })
  const names = bom.components.map(({ name }: { name: string }) => name)
  t.ok(names.includes('commander'))
  t.ok(names.includes('bun'))
  t.notOk(names.includes('tap'), 'and not what it was tested with')
})
