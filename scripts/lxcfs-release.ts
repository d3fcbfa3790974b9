/** The lxcfs that scripts/compare-lxcfs.ts runs: this machine's, one of another Debian suite, or one that somebody built. */

import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { execaSync } from 'execa'
import { isInPath } from '../test/kit/requirements.ts'

/** A command line that lxcfs's own options are added to. */
export type Command = readonly [program: string, ...args: string[]]

/** With what it needs to run anywhere. libgcc_s is loaded when a thread of it ends. */
const PACKAGES = ['lxcfs', 'libfuse3-4', 'libc6', 'libgcc-s1']

/** What the program is made of; a build leaves the two in one folder. */
export const LIBRARY = 'liblxcfs.so'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** That of this machine's own suite, installed where it is missing. Throws when it cannot be. */
export function installLxcfs(): Command {
  if (!isInPath('lxcfs')) {
    const options = { reject: false, env: { DEBIAN_FRONTEND: 'noninteractive' } }
    const apt = (...args: string[]) =>
      execaSync('apt-get', ['-qq', '-y', ...args], options).exitCode === 0
    const packages = ['install', '--no-install-recommends', 'lxcfs']
    if (!(apt(...packages) || (apt('update') && apt(...packages)))) {
      throw new Error('Cannot install lxcfs: install it and run the comparison again')
    }
  }
  return ['lxcfs']
}

/** An executable, and the library beside it where there is one, as a build leaves them. Throws when it is missing. */
export function builtLxcfs(path: string): Command {
  const program = resolve(path)
  if (!existsSync(program)) throw new Error(`Cannot run ${program}: there is no such file`)
  return ['env', `LD_LIBRARY_PATH=${dirname(program)}`, program]
}

/**
 * Unpacks the lxcfs of a Debian suite, such as `trixie`, and its libraries into `folder`, which may be new; returns the
 * program there, which runs also when `folder` is moved. Nothing is installed. Throws when the suite cannot be had.
 */
export function unpackLxcfs(suite: string, folder: string): string {
  const apt = join(folder, 'apt')
  const debs = join(apt, 'debs')
  mkdirSync(debs, { recursive: true })
  const flags = aptFlags(apt, suite)
  for (const command of [['update'], ['download', ...PACKAGES]]) {
    const options = { cwd: debs, reject: false } as const
    const { exitCode, stderr } = execaSync('apt-get', ['-qq', ...flags, ...command], options)
    if (exitCode !== 0) throw new Error(`Cannot get lxcfs of ${suite}: ${stderr}`)
  }
  for (const deb of readdirSync(debs)) {
    execaSync('dpkg-deb', ['--extract', join(debs, deb), join(folder, 'root')])
  }
  return writeStarter(folder)
}

/** Options with which apt-get knows of that suite, and of nothing on this machine; `apt` is where it keeps its own. */
function aptFlags(apt: string, suite: string): string[] {
  for (const name of ['lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(apt, name), { recursive: true })
  }
  const sources = join(apt, 'sources.list')
  writeFileSync(sources, `deb [signed-by=${KEYRING}] ${mirror()} ${suite} main\n`)
  const options = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(apt, 'cache'),
    'APT::Sandbox::User': 'root',
    'Acquire::Languages': 'none',
  }
  return Object.entries(options).map(([name, value]) => `-o${name}=${value}`)
}

/** The mirror of this machine's own apt, where that is Debian's. */
function mirror(): string {
  const fields = ['--format', '$(SITE)', 'Created-By: Packages', 'Origin: Debian']
  const { stdout = '' } = execaSync('apt-get', ['indextargets', ...fields], { reject: false })
  const isArchive = (site: string) => site !== '' && !site.includes('security')
  return stdout.split('\n').find(isArchive) ?? 'http://deb.debian.org/debian'
}

/** The suite's own dynamic linker runs it: its C library may be newer than this machine's. */
function writeStarter(folder: string): string {
  const machine = process.arch === 'x64' ? 'x86_64' : 'aarch64'
  const libraries = `root/usr/lib/${machine}-linux-gnu`
  const linker = readdirSync(join(folder, libraries)).find(name => name.startsWith('ld-linux'))
  const path = join(folder, 'lxcfs')
  const lines = [
    '#!/bin/sh',
    'here=$(dirname "$(readlink -f "$0")")',
    `lib=$here/${libraries}`,
    `exec "$lib/${linker}" --library-path "$lib:$lib/lxcfs" "$here/root/usr/bin/lxcfs" "$@"`,
  ]
  writeFileSync(path, `${lines.join('\n')}\n`)
  chmodSync(path, 0o755)
  return path
}
