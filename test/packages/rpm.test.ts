/** The rpm packages, built by rpm and installed by dnf into a root of their own. */

import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { execaSync } from 'execa'
import t from 'tap'
import { BUSYBOX, EXECUTABLE } from '../kit/requirements.ts'
import { temporary } from '../kit/temporary.ts'
import { findPackages, needsPackages, PROJECT, VERSION } from './built.ts'

t.setTimeout(400_000)

const needed = { rpmbuild: 'rpm', rpm2cpio: 'rpm', cpio: 'cpio', rpmlint: 'rpmlint' }
const dnf = { dnf: 'dnf', createrepo_c: 'createrepo-c', unshare: 'util-linux' }

t.test('rpmlint finds no error that has no reason', needsPackages(needed), async t => {
  const rpms = [
    ...findPackages('.x86_64.rpm'),
    ...findPackages('.aarch64.rpm'),
    ...findPackages('.noarch.rpm'),
  ]
  const { stdout, exitCode } = execaSync(
    'rpmlint',
    ['--config', join(PROJECT, 'rpm/rpmlint.toml'), ...rpms],
    { reject: false },
  )
  t.equal(exitCode, 0)
  t.match(stdout, ` 0 errors, 0 warnings`)
})

t.test('the executable is in it as it was built', needsPackages(needed), async t => {
  const directory = temporary(t)
  const [rpm = ''] = findPackages('.x86_64.rpm')
  execaSync('sh', ['-c', `rpm2cpio ${rpm} | cpio --extract --quiet --make-directories`], {
    cwd: directory,
  })
  const packed = join(directory, 'usr/libexec/procveil/procveil')
  t.ok(readFileSync(packed).equals(readFileSync(EXECUTABLE)), 'npm run package is to be run again')
  t.equal(execaSync(packed, ['--version']).stdout, `procveil ${VERSION}`)
})

t.test('dnf installs, upgrades and erases it', needsPackages({ ...needed, ...dnf }), async t => {
  const here = new InstallRoot(temporary(t), [
    ...findPackages('.x86_64.rpm'),
    ...findPackages('.noarch.rpm'),
  ])
  // As it was before there was procveil.
  here.dnf('--setopt=obsoletes=false install', 'glibc', 'lxcfs-tools')
  here.dnf('install', 'procveil')
  t.equal(here.run('/usr/bin/procveil', '--version'), `procveil ${VERSION}`)
  for (const [path, mode] of Object.entries(MODES)) {
    t.equal((lstatSync(here.path(path)).mode & 0o7777).toString(8), mode.toString(8), path)
  }
  t.match(here.query('procveil', '--licensefiles'), /LICENSE\n.*THIRD-PARTY.md$/)
  t.equal(here.verify('procveil'), '')
  t.match(here.run('/bin/zcat', '/usr/share/man/man8/procveil.8.gz'), /^\.Dd /)

  const config = here.path('/etc/procveil/config.json')
  writeFileSync(config, '{ "cpuQuota": "off" }\n')
  t.match(here.verify('procveil'), /^S\.5.* c \/etc\/procveil\/config.json$/)
  here.dnf('reinstall', 'procveil')
  t.equal(readFileSync(config, 'utf8'), '{ "cpuQuota": "off" }\n', 'what was changed stays')

  const hook = '/var/lib/isulad/hooks/lxcfs-hook'
  t.equal(readFileSync(here.path(hook), 'utf8'), OLD_HOOK)
  here.dnf('install', 'procveil-isulad')
  t.notOk(here.installed().includes('lxcfs-tools'), 'it takes the place of the old package')
  for (const link of [
    hook,
    '/var/lib/lcrd/hooks/lxcfs-hook',
    '/usr/local/bin/lxcfs-tools',
    '/usr/local/bin/isulad-lxcfs-toolkit',
  ]) {
    t.equal(readlinkSync(here.path(link)), '/usr/libexec/procveil/procveil')
  }
  t.equal(readlinkSync(here.path('/usr/lib/systemd/system/lxcfs.service')), 'procveil.service')
  t.match(here.run('/usr/local/bin/lxcfs-tools', '--version'), /^procveil /)
  const spec = readFileSync(here.path('/var/lib/isulad/hooks/hookspec.json'), 'utf8')
  t.equal(spec, readFileSync(join(PROJECT, 'hooks/hookspec.json'), 'utf8'))
  t.throws(() => here.dnf('install', 'lxcfs'), /conflicts with lxcfs/)

  here.dnf('install', 'procveil-lxcfs-compat')
  t.equal(readlinkSync(here.path('/var/lib/lxcfs')), 'lxc/lxcfs')
  here.dnf('install', 'procveil-podman')
  t.ok(existsSync(here.path('/usr/share/containers/oci/hooks.d/50-procveil.json')))

  here.dnf('remove', 'procveil')
  t.strictSame(here.installed(), ['glibc'], 'what depends on it goes with it')
  for (const path of [...Object.keys(MODES), hook, '/var/lib/lxcfs', '/usr/libexec/procveil']) {
    if (path === '/etc/procveil/config.json') continue
    t.throws(() => lstatSync(here.path(path)), { code: 'ENOENT' }, path)
  }
  t.equal(readFileSync(`${config}.rpmsave`, 'utf8'), '{ "cpuQuota": "off" }\n')
})

/** What the main package installs, and its modes. */
const MODES = {
  '/usr/libexec/procveil/procveil': 0o755,
  '/usr/libexec/procveil/give-up': 0o755,
  '/usr/bin/procveil': 0o777,
  '/usr/bin/procveil-runtime': 0o755,
  '/usr/lib/systemd/system/procveil.service': 0o644,
  '/usr/lib/systemd/system-preset/90-procveil.preset': 0o644,
  '/usr/lib/tmpfiles.d/procveil.conf': 0o644,
  '/etc/procveil/config.json': 0o644,
  '/etc/logrotate.d/procveil': 0o644,
  '/etc/cdi/procveil.json': 0o644,
  '/usr/share/man/man8/procveil.8.gz': 0o644,
  '/usr/share/man/man8/procveil-runtime.8.gz': 0o644,
  '/usr/share/man/man5/procveil-config.5.gz': 0o644,
  '/usr/share/bash-completion/completions/procveil': 0o644,
  '/usr/share/zsh/site-functions/_procveil': 0o644,
  '/usr/share/fish/vendor_completions.d/procveil.fish': 0o644,
  '/usr/share/procveil/hooks/hookspec.json': 0o644,
} as const

/** A root file system that dnf installs into, from a repository of `rpms` and of packages that stand for others. */
class InstallRoot {
  readonly #root: string
  readonly #repository: string

  constructor(directory: string, rpms: readonly string[]) {
    this.#root = join(directory, 'root')
    this.#repository = join(directory, 'repository')
    mkdirSync(join(this.#root, 'proc'), { recursive: true })
    mkdirSync(this.#repository)
    for (const rpm of rpms) copyFileSync(rpm, join(this.#repository, basename(rpm)))
    this.#make('glibc', '2.34', LIBRARIES, { isBase: true })
    this.#make('lxcfs-tools', '0.3', { '/var/lib/isulad/hooks/lxcfs-hook': OLD_HOOK })
    this.#make('lxcfs', '5.0.4', { '/usr/bin/lxcfs': '' })
    execaSync('createrepo_c', ['--quiet', this.#repository])
  }

  path(path: string): string {
    return join(this.#root, path)
  }

  /** Scriptlets run in the root, where the executable finds itself by /proc. */
  dnf(action: string, ...names: string[]): void {
    const command = [
      `mount -t proc proc ${this.#root}/proc`,
      [
        `exec dnf --quiet --assumeyes --installroot=${this.#root} --releasever=1 --setopt=reposdir=/dev/null`,
        `--setopt=cachedir=${dirname(this.#root)}/cache --setopt=plugins=0 --setopt=install_weak_deps=0 --nogpgcheck`,
        `--repofrompath=local,file://${this.#repository} ${action} ${names.join(' ')}`,
      ].join(' '),
    ].join('; ')
    execaSync('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', command])
  }

  run(...command: string[]): string {
    const script = 'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"'
    return execaSync('unshare', [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      this.#root,
      ...command,
    ]).stdout
  }

  verify(name: string): string {
    return execaSync('rpm', ['--root', this.#root, '--verify', name], { reject: false }).stdout
  }

  query(...args: string[]): string {
    return execaSync('rpm', ['--root', this.#root, '--query', ...args]).stdout
  }

  installed(): string[] {
    return this.query('--all', '--queryformat', '%{NAME}\\n').split('\n').sort()
  }

  #make(
    name: string,
    version: string,
    files: Readonly<Record<string, string | { from: string }>>,
    { isBase = false } = {},
  ) {
    const top = join(dirname(this.#root), `make-${name}`)
    const tree = join(top, 'tree')
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true })
      if (typeof content === 'string') writeFileSync(join(tree, path), content, { mode: 0o755 })
      else copyFileSync(content.from, join(tree, path))
    }
    const spec = `
%global __os_install_post %{nil}
%global debug_package %{nil}
Name: ${name}
Version: ${version}
Release: 17
Summary: stands for another package
License: none
AutoReqProv: no
${isBase ? 'Provides: /bin/sh' : ''}
%description
%install
cp -a ${tree}/. %{buildroot}
${isBase ? LINKS : ''}
%files
${Object.keys(files).join('\n')}
${isBase ? '/bin/*' : ''}
`
    writeFileSync(join(top, `${name}.spec`), spec)
    execaSync('rpmbuild', ['-bb', '--define', `_topdir ${top}`, join(top, `${name}.spec`)])
    const [rpm = ''] = execaSync('find', [join(top, 'RPMS'), '-name', '*.rpm']).stdout.split('\n')
    copyFileSync(rpm, join(this.#repository, basename(rpm)))
  }
}

/** The programs that scriptlets and the test run. */
const LINKS = 'for a in sh rm rmdir zcat cut; do ln -s busybox %{buildroot}/bin/$a; done'

const OLD_HOOK = '#!/bin/sh\n'

/** The libraries that the executable names, and a shell, from this machine. */
const LIBRARIES = Object.fromEntries([
  ['/lib64/ld-linux-x86-64.so.2', { from: '/lib64/ld-linux-x86-64.so.2' }],
  ['/bin/busybox', { from: BUSYBOX }],
  ...['libc.so.6', 'libpthread.so.0', 'libdl.so.2', 'libm.so.6'].map(name => {
    const path = `/lib/x86_64-linux-gnu/${name}`
    return [path, { from: path }]
  }),
])
