/**
 * Tests that need another kernel than this machine's: each guest runs the end-to-end tests, and those of vm/tests
 * where it has cgroup v2 alone. A guest is a throw-away machine, so nothing here can harm the host.
 */

import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa, execaSync } from 'execa'
import t from 'tap'
import { EXECUTABLE, isInPath } from '../e2e/requirements.ts'

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const HERE = join(PROJECT, 'test/vm')
/** Emulation is 10 to 25 times slower than this machine, which others may use too. */
const GUEST_TIMEOUT_SECONDS = 1500
const BUILD_TIMEOUT_MS = 900_000
const GUEST_ENVIRONMENT = 'TAP_TIMEOUT=420 PROCVEIL_NO_SKIP=1 PROCVEIL_TEST_CROWD=5'

interface Guest {
  name: string
  kernel: string
  cgroup: string
  /** All files when missing. */
  only?: readonly string[]
}

/** A guest with cgroup v1 alone is for hosts that have none; those that have it test the rest by themselves. */
const GUESTS: readonly Guest[] = [
  { name: 'Linux 6.1, cgroup v2', kernel: 'stable', cgroup: 'v2' },
  { name: 'Linux 6.12 or newer, cgroup v2', kernel: 'backports', cgroup: 'v2' },
  {
    name: 'Linux 6.1, cgroup v1',
    kernel: 'stable',
    cgroup: 'v1',
    only: ['live.test.js', 'view.test.js'],
  },
]

const missing = findMissing()
if (missing !== undefined && process.env.PROCVEIL_NO_SKIP) {
  throw new Error(`Cannot run the tests in virtual machines: ${missing}`)
}
if (missing === undefined) await run()
else t.test('virtual machines', { skip: missing }, async () => {})

function findMissing(): string | undefined {
  if (process.arch !== 'x64') return 'needs an x86-64 machine'
  if (process.getuid?.() !== 0) return 'needs root'
  const tools = {
    mmdebstrap: 'mmdebstrap',
    mke2fs: 'e2fsprogs',
    depmod: 'kmod',
    cpio: 'cpio',
    xz: 'xz-utils',
  }
  for (const [tool, name] of Object.entries(tools)) {
    if (!isInPath(tool)) return `needs ${tool}: apt-get install ${name}`
  }
  return undefined
}

async function run(): Promise<void> {
  const share = mkdtempSync(join(tmpdir(), 'procveil-share-'))
  t.teardown(() => rmSync(share, { recursive: true }))
  const files = fillShare(share)
  await t.test('the guest and its QEMU are built', async t => {
    const options = { timeout: BUILD_TIMEOUT_MS, reject: false } as const
    const built = ['build-image', 'build-qemu'].map(name => execa(join(HERE, name), options))
    for (const { exitCode, stderr } of await Promise.all(built)) t.equal(exitCode, 0, stderr)
  })
  if (!t.passing()) return
  // An emulated guest with 4 CPUs keeps little more than one of the host's busy.
  t.jobs = GUESTS.length
  await Promise.all(GUESTS.map(guest => boot(guest, share, guest.only ?? files)))
}

async function boot(guest: Guest, share: string, files: readonly string[]): Promise<void> {
  const command = `cd /share/test/guest && ${GUEST_ENVIRONMENT} /share/node guest.js ${files.join(' ')}`
  const args = ['--kernel', guest.kernel, '--cgroup', guest.cgroup]
  await t.spawn(
    join(HERE, 'run-vm'),
    [...args, '--timeout', String(GUEST_TIMEOUT_SECONDS), share, command],
    { timeout: (GUEST_TIMEOUT_SECONDS + 120) * 1000, buffered: true },
    guest.name,
  )
}

/** What a guest gets: the executable, Node and the tests as plain JavaScript; it is too slow to compile them. */
function fillShare(share: string): string[] {
  const list = (directory: string, end: string) =>
    readdirSync(join(PROJECT, directory))
      .filter(name => name.endsWith(end))
      .sort()
  const e2e = list('test/e2e', '.test.ts')
  const own = list('test/vm/tests', '.ts')
  const sources = [
    ...e2e.map(name => `test/e2e/${name}`),
    ...own.map(name => `test/vm/tests/${name}`),
    'test/vm/guest.ts',
  ]
  // Two levels below the share, like the tests themselves: they look for ../../dist.
  const naming = ['--entry-naming', 'test/guest/[name].[ext]']
  execaSync(
    process.execPath,
    ['scripts/bun.mjs', 'build', '--target', 'node', '--outdir', share, ...naming, ...sources],
    { cwd: PROJECT },
  )
  writeFileSync(join(share, 'package.json'), '{"type":"module"}')
  // tap asks for it by name at run time; it prints React elements, of which there are none.
  const printer = join(share, 'node_modules/react-element-to-jsx-string')
  mkdirSync(printer, { recursive: true })
  writeFileSync(join(printer, 'index.js'), 'module.exports = {}\n')
  mkdirSync(join(share, 'dist'))
  cpSync(EXECUTABLE, join(share, 'dist/procveil'))
  cpSync(join(PROJECT, 'hooks'), join(share, 'hooks'), { recursive: true })
  cpSync(process.execPath, join(share, 'node'), { dereference: true })
  chmodSync(join(share, 'node'), 0o755)
  return [...e2e, ...own].map(name => name.replace(/ts$/, 'js'))
}
