/** What a guest gets: the executable, Node, and the tests as plain JavaScript. It is too slow to compile them. */

import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execaSync } from 'execa'
import type { Test } from 'tap'
import { compileC } from '../bench/compile.ts'
import { buildAs, buildRelease } from '../kit/release.ts'
import { EXECUTABLE } from '../kit/requirements.ts'
import { copyPackages, makePackagesAs, unpackAs, unpackRelease } from '../packages/earlier.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

/** Debian's openjdk-17-jdk-headless. */
const JAVA = '/usr/lib/jvm/java-17-openjdk-amd64'

/** These need more than the guest has: they show nothing of the kernel that the others do not. */
const NOT_IN_GUESTS = ['stress.test.ts']

/** Fills an empty directory; returns the names of the test files in its `test/guest`. */
export function fillShare(share: string): string[] {
  const e2e = list('test/e2e', '.test.ts').filter(name => !NOT_IN_GUESTS.includes(name))
  const own = list('test/vm/tests', '.ts')
  compile(share, [
    ...e2e.map(name => `test/e2e/${name}`),
    ...own.map(name => `test/vm/tests/${name}`),
  ])
  mkdirSync(join(share, 'dist'))
  cpSync(EXECUTABLE, join(share, 'dist/procveil'))
  cpSync(join(PROJECT, 'hooks'), join(share, 'hooks'), { recursive: true })
  cpSync(join(PROJECT, 'runtime'), join(share, 'runtime'), { recursive: true })
  return [...e2e, ...own].map(compiled)
}

/** Fills an empty directory with the tests of `counted`, and with the bench's part `fleet`. */
export async function fillCountedShare(share: string): Promise<void> {
  compile(
    share,
    ['fleet', 'kills'].map(name => `test/vm/counted/${name}.ts`),
  )
  const programs = join(share, 'dist')
  mkdirSync(programs)
  cpSync(EXECUTABLE, join(programs, 'procveil'))
  await compileC(programs, 'fleet')
  const outfile = join(programs, 'measure')
  const build = ['build', '--compile', 'test/vm/counted/measure.ts', '--outfile', outfile]
  execaSync(process.execPath, ['scripts/bun.mjs', ...build], { cwd: PROJECT })
}

/** Fills an empty directory with packages, and the tests of a folder; returns the names of the test files. */
export function fillPackagesShare(t: Test, share: string, folder: 'packages' | 'runtimes') {
  const own = { packages: ['configure.ts', 'lifecycle.ts'], runtimes: ['docker.ts', 'pods.ts'] }[
    folder
  ]
  compile(
    share,
    own.map(name => `test/vm/${folder}/${name}`),
  )
  // The real one knows no NRI: what is upgraded to is these sources once more.
  const build = { packages: buildRelease, runtimes: buildAs }[folder]
  makePackagesAs(t, '0.1.0', build(t, '0.1.0'), join(share, 'packages'))
  copyPackages(join(share, 'packages'))
  cpSync(join(PROJECT, 'test/vm/packages/cri.proto'), join(share, 'packages/cri.proto'))
  return own.map(compiled)
}

/** Fills an empty directory with the test of `nodes`, and this machine's JVM where there is one; returns the test file's name. */
export function fillNodesShare(share: string): string[] {
  compile(share, ['test/vm/nodes/nodes.ts'])
  mkdirSync(join(share, 'dist'))
  cpSync(EXECUTABLE, join(share, 'dist/procveil'))
  cpSync(join(PROJECT, 'hooks'), join(share, 'hooks'), { recursive: true })
  // A link of its leads to sources that are seldom installed.
  const options = { recursive: true, dereference: true, filter: existsSync }
  if (existsSync(JAVA)) cpSync(JAVA, join(share, 'java'), options)
  return ['nodes.js']
}

/** Fills an empty directory with packages, and the test of `systemd`; returns the name of the test file. */
export function fillSystemdShare(share: string): string[] {
  compile(share, ['test/vm/systemd/survival.ts'])
  copyPackages(join(share, 'packages'))
  cpSync(join(PROJECT, 'test/chaos/reader.mjs'), join(share, 'test/guest/reader.mjs'))
  return ['survival.js']
}

/** Fills an empty directory with two unpacked releases, and the test of what images of these do to a node; returns its name. */
export function fillKubernetesShare(t: Test, share: string): string[] {
  compile(share, ['test/vm/systemd/kubernetes.ts'])
  const packages = join(share, 'packages')
  mkdirSync(packages)
  unpackRelease(packages)
  unpackAs('0.1.0', buildAs(t, '0.1.0'), packages)
  return ['kubernetes.js']
}

const list = (directory: string, end: string) =>
  readdirSync(join(PROJECT, directory))
    .filter(name => name.endsWith(end))
    .sort()

const compiled = (name: string) => name.replace(/ts$/, 'js')

/** Two levels below the share, like the tests themselves: they look for ../../dist. */
function compile(share: string, sources: readonly string[]): void {
  const naming = ['--entry-naming', 'test/guest/[name].[ext]']
  execaSync(
    process.execPath,
    [
      ...['scripts/bun.mjs', 'build', '--target', 'node', '--outdir', share, ...naming],
      ...[...sources, 'test/vm/guest.ts'],
    ],
    { cwd: PROJECT },
  )
  writeFileSync(join(share, 'package.json'), '{"type":"module"}')
  // tap asks for it by name at run time; it prints React elements, of which there are none.
  const printer = join(share, 'node_modules/react-element-to-jsx-string')
  mkdirSync(printer, { recursive: true })
  writeFileSync(join(printer, 'index.js'), 'module.exports = {}\n')
  cpSync(process.execPath, join(share, 'node'), { dereference: true })
  chmodSync(join(share, 'node'), 0o755)
}
