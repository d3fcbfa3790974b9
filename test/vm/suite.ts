/**
 * Tests that need another kernel than this machine's: each guest runs the end-to-end tests, and those of vm/tests where
 * it has cgroup v2 alone; some run one of vm/counted. A guest is a throw-away machine, so nothing here can harm the host.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { PACKAGERS } from '../../scripts/package/packages.ts'
import { isInPath, skipFor } from '../kit/requirements.ts'
import { temporary } from '../kit/temporary.ts'
import { needsPackages, VERSION } from '../packages/built.ts'
import {
  fillCountedShare,
  fillKubernetesShare,
  fillNodesShare,
  fillPackagesShare,
  fillShare,
  fillSystemdShare,
} from './share.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** Emulation is 10 to 25 times slower than this machine, which others may use too. */
const GUEST_TIMEOUT_SECONDS = 3000
const HERE_TIMEOUT_SECONDS = 1800
const BUILD_TIMEOUT_MS = 900_000
const FILE_TIMEOUT_SECONDS = 420
const GUEST_ENVIRONMENT = [
  'PROCVEIL_NO_SKIP=1 PROCVEIL_TEST_CROWD=5',
  `PROCVEIL_VERSION=${VERSION} PROCVEIL_TESTS=${process.env.PROCVEIL_TESTS ?? 'short'}`,
].join(' ')

interface Guest {
  name: string
  suite: 'bookworm' | 'trixie' | 'forky'
  /** One of the suite's image: see build-image. */
  kernel: 'stable' | 'backports' | 'bullseye' | 'bookworm' | 'forky'
  cgroup: 'v2' | 'v1'
  /** Where it is not FILE_TIMEOUT_SECONDS. */
  fileTimeoutSeconds?: number
}

interface KernelGuest extends Guest {
  /** All files when missing. */
  only?: readonly string[]
  /** What it runs with PROCVEIL_VM=brief: what depends most on the kernel. */
  brief: readonly string[]
}

interface CountedGuest extends Guest {
  file: string
  isInBrief: boolean
}

const LIMITS = ['live.test.js', 'view.test.js']
const V2 = ['limits.js', 'nested.js', 'pressure.js']

/** Part of the name of the guests that are run; all when it is not set. */
const ONLY = process.env.PROCVEIL_VM_GUEST

/** A guest with cgroup v1 alone is for hosts that have none; those that have it test the rest by themselves. */
const GUESTS: readonly KernelGuest[] = [
  {
    name: 'Linux 6.1, cgroup v2',
    suite: 'bookworm',
    kernel: 'stable',
    cgroup: 'v2',
    brief: [
      ...[...V2, 'cpus.js', 'disks.js', 'podman-options.js', 'requests.test.js', 'toolkit.js'],
      ...['view.test.js', 'cpu-directories.test.js', 'nodes.test.js'],
    ],
  },
  {
    name: 'Linux 5.10, cgroup v2',
    suite: 'bookworm',
    kernel: 'bullseye',
    cgroup: 'v2',
    brief: ['live.test.js', 'propagation.test.js'],
  },
  {
    name: 'Linux 6.12 or newer, cgroup v2',
    suite: 'bookworm',
    kernel: 'backports',
    cgroup: 'v2',
    brief: [...LIMITS, 'restart.test.js'],
  },
  {
    name: 'Linux 6.1, cgroup v1',
    suite: 'bookworm',
    kernel: 'stable',
    cgroup: 'v1',
    only: LIMITS,
    brief: LIMITS,
  },
]

const PACKAGES_GUEST: Guest = {
  name: 'packages, Debian 13 under systemd',
  suite: 'trixie',
  kernel: 'stable',
  cgroup: 'v2',
}

/** Docker and containerd as they are to be in Debian 14, with these packages. */
const RUNTIMES_GUEST: Guest = {
  name: 'runtimes, Debian 14 under systemd',
  suite: 'forky',
  kernel: 'stable',
  cgroup: 'v2',
  fileTimeoutSeconds: GUEST_TIMEOUT_SECONDS,
}

/** Where half of the memory and of the CPUs are on another node. */
const NODES_GUEST: Guest = {
  name: 'two NUMA nodes, Linux 6.1',
  suite: 'bookworm',
  kernel: 'stable',
  cgroup: 'v2',
}

/** Here no test depends on what else this machine does: see --count of run-vm. */
const COUNTED_GUESTS: readonly CountedGuest[] = [
  {
    name: 'kills, Linux 5.10',
    suite: 'bookworm',
    kernel: 'bullseye',
    cgroup: 'v2',
    file: 'kills.js',
    isInBrief: true,
  },
  {
    name: 'a fleet, Linux 6.1',
    suite: 'bookworm',
    kernel: 'stable',
    cgroup: 'v2',
    file: 'fleet.js',
    isInBrief: false,
  },
]

/** What survives where systemd keeps the mount, on this machine's kernel, at its own speed. */
const SYSTEMD_HERE = 'survival under systemd, here'

/** What the image of deploy/ does to a node. */
const KUBERNETES_HERE = 'kubernetes, a node here'

/** What survives on other kernels. No test depends on what else this machine does here either. */
const SYSTEMD_GUESTS: readonly Guest[] = [
  { name: 'survival under systemd, Linux 5.10', kernel: 'bullseye' as const },
  { name: 'survival under systemd, Linux 6.1', kernel: 'bookworm' as const },
  { name: 'survival under systemd, Linux 6.12', kernel: 'stable' as const },
  { name: 'survival under systemd, Linux 7 or newer', kernel: 'forky' as const },
].map(guest => ({
  ...guest,
  suite: 'trixie',
  cgroup: 'v2',
  fileTimeoutSeconds: GUEST_TIMEOUT_SECONDS,
}))

const isBrief = process.env.PROCVEIL_VM === 'brief'

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
  await t.test('the guests and their QEMU are built', async t => {
    const options = { timeout: BUILD_TIMEOUT_MS, reject: false } as const
    const suites = ['bookworm', 'trixie', 'forky']
    const commands = [...suites.map(suite => ['build-image', suite]), ['build-qemu']]
    const built = commands.map(([name = '', ...args]) => execa(join(HERE, name), args, options))
    for (const { exitCode, stderr } of await Promise.all(built)) t.equal(exitCode, 0, stderr)
  })
  if (!t.passing()) return
  // One after the other: an emulated guest has 4 CPUs, and what it starves of time fails in many ways.
  const wanted = (name: string) => ONLY === undefined || name.includes(ONLY)
  if (GUESTS.some(({ name }) => wanted(name))) {
    const share = temporary(t, 'procveil-share-')
    const files = fillShare(share)
    for (const guest of GUESTS.filter(({ name }) => wanted(name))) {
      await boot(guest, share, isBrief ? guest.brief : (guest.only ?? files))
    }
  }
  if (wanted(NODES_GUEST.name)) {
    const share = temporary(t, 'procveil-share-')
    await boot(NODES_GUEST, share, fillNodesShare(share), '--nodes')
  }
  await runCounted(
    COUNTED_GUESTS.filter(({ name, isInBrief }) => wanted(name) && (isInBrief || !isBrief)),
  )
  await runSystemd(
    wanted(SYSTEMD_HERE),
    SYSTEMD_GUESTS.filter(({ name }) => wanted(name) && !isBrief),
  )
  if (wanted(KUBERNETES_HERE)) await runKubernetes()
  if (wanted(PACKAGES_GUEST.name)) await runPackages(PACKAGES_GUEST, 'packages')
  if (wanted(RUNTIMES_GUEST.name)) await runPackages(RUNTIMES_GUEST, 'runtimes')
}

async function runPackages(guest: Guest, folder: 'packages' | 'runtimes'): Promise<void> {
  const { skip } = needsPackages(PACKAGERS)
  if (skip !== undefined) {
    t.test(guest.name, { skip }, async () => {})
    return
  }
  const share = temporary(t, 'procveil-share-')
  await boot(guest, share, fillPackagesShare(t, share, folder))
}

async function runSystemd(isHere: boolean, guests: readonly Guest[]): Promise<void> {
  const names = [...(isHere ? [SYSTEMD_HERE] : []), ...guests.map(({ name }) => name)]
  if (names.length === 0) return
  const { skip } = needsPackages(PACKAGERS)
  if (skip !== undefined) {
    for (const name of names) t.test(name, { skip }, async () => {})
    return
  }
  const share = temporary(t, 'procveil-share-')
  let files: string[] = []
  await t.test('a share is filled', async () => {
    files = fillSystemdShare(share)
  })
  if (isHere) await bootHere(SYSTEMD_HERE, share, files)
  for (const guest of guests) await boot(guest, share, files, '--count')
}

async function runKubernetes(): Promise<void> {
  const { skip } = needsPackages({ ...PACKAGERS, openssl: 'openssl', containerd: 'containerd' })
  if (skip !== undefined) {
    t.test(KUBERNETES_HERE, { skip }, async () => {})
    return
  }
  const share = temporary(t, 'procveil-share-')
  let files: string[] = []
  await t.test('a share has two releases', async t => {
    files = fillKubernetesShare(t, share)
  })
  await bootHere(KUBERNETES_HERE, share, files)
}

async function runCounted(guests: readonly CountedGuest[]): Promise<void> {
  if (guests.length === 0) return
  const { skip } = skipFor(isInPath('gcc') ? undefined : 'needs gcc: apt-get install gcc libc6-dev')
  const share = temporary(t, 'procveil-share-')
  // Within a test: tap ends, and takes the share away, when nothing of its own goes on.
  if (skip === undefined) await t.test('a share is filled', async () => fillCountedShare(share))
  for (const guest of guests) {
    if (skip === undefined) await boot(guest, share, [guest.file], '--count')
    else t.test(guest.name, { skip }, async () => {})
  }
}

function commandOf(files: readonly string[], fileTimeoutSeconds: number): string {
  const environment = `${GUEST_ENVIRONMENT} TAP_TIMEOUT=${fileTimeoutSeconds}`
  return `cd /share/test/guest && ${environment} /share/node guest.js ${files.join(' ')}`
}

async function boot(
  guest: Guest,
  share: string,
  files: readonly string[],
  ...options: string[]
): Promise<void> {
  const { fileTimeoutSeconds = FILE_TIMEOUT_SECONDS } = guest
  const args = ['--suite', guest.suite, '--kernel', guest.kernel, '--cgroup', guest.cgroup]
  await t.spawn(
    join(HERE, 'run-vm'),
    [
      ...[...args, ...options, '--timeout', String(GUEST_TIMEOUT_SECONDS), share],
      commandOf(files, fileTimeoutSeconds),
    ],
    { timeout: (GUEST_TIMEOUT_SECONDS + 120) * 1000, buffered: true },
    guest.name,
  )
}

/** What run-here needs of this machine. */
function findMissingHere(): string | undefined {
  if (!existsSync('/lib/systemd/systemd')) return 'needs systemd: apt-get install systemd'
  return isInPath('podman') ? undefined : 'needs podman: apt-get install podman'
}

async function bootHere(name: string, share: string, files: readonly string[]): Promise<void> {
  const { skip } = skipFor(findMissingHere())
  if (skip !== undefined) {
    t.test(name, { skip }, async () => {})
    return
  }
  const command = `export PROCVEIL_TEST_PAUSE_MS=0; ${commandOf(files, HERE_TIMEOUT_SECONDS)}`
  await t.spawn(
    join(HERE, 'run-here'),
    ['--timeout', String(HERE_TIMEOUT_SECONDS), share, command],
    { timeout: (HERE_TIMEOUT_SECONDS + 60) * 1000, buffered: true },
    name,
  )
}
