/**
 * `node scripts/bun.mjs scripts/compare-lxcfs.ts`, as root: one container under runc that reads lxcfs below /lxcfs and
 * procveil in /proc. Prints where they differ from each other and from the host, and leaves nothing behind.
 *
 * --suite SUITE  the lxcfs of another Debian suite, such as trixie or forky; this machine's when nothing is given
 * --lxcfs PATH   a program; a liblxcfs.so beside it, as a build leaves it, is used
 * --vm KERNEL    in a virtual machine, under a kernel that test/vm/build-image lists for bookworm, such as stable
 * --cgroup v1    the virtual machine has cgroup v1 alone; otherwise v2 alone
 */

import { readFileSync, statSync, writeSync } from 'node:fs'
import { availableParallelism, release } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { execaSync } from 'execa'
import { Box } from '../test/kit/box.ts'
import { Cleanups } from '../test/kit/cleanups.ts'
import { startLxcfsOf } from '../test/kit/lxcfs.ts'
import { needs, retry } from '../test/kit/requirements.ts'
import { bindMount } from '../test/kit/runc-config.ts'
import { Site } from '../test/kit/site.ts'
import { readBelowLimits } from './compare-below.ts'
import { CLASSES, differences, FILES, type Fields, lines, table, ticks } from './compare-fields.ts'
import { compareInVm } from './compare-in-vm.ts'
import { builtLxcfs, type Command, installLxcfs, unpackLxcfs } from './lxcfs-release.ts'

/** Where the container finds the files of each. */
const LXCFS = { name: 'lxcfs -l', root: '/lxcfs' }
const LXCFS_CFS = { name: 'lxcfs -l --enable-cfs', root: '/lxcfs-cfs' }
const PROCVEIL = { name: 'procveil', root: '' }
const BOTH = [LXCFS, PROCVEIL]
const ALL = [LXCFS, LXCFS_CFS, PROCVEIL]

const CPUS = availableParallelism()
const BURN_SECONDS = 12
const MIB = 2 ** 20
/** In an emulated machine the hook may need more than its own 12 s. */
const PATIENCE = { hookArgs: ['--timeout', '50'], hookSeconds: 60 }

const cleanups = new Cleanups('compare-lxcfs')
let stopped = ''
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (stopped = signal))
try {
  const text = { type: 'string' } as const
  const options = { suite: text, lxcfs: text, vm: text, cgroup: text }
  const { suite, lxcfs, vm, cgroup } = parseArgs({ options }).values
  if (vm === undefined) await compare(suite, lxcfs)
  else process.exitCode = await compareInVm(cleanups, { kernel: vm, cgroup, suite, lxcfs })
} catch (error) {
  cleanups.complain(error)
} finally {
  await cleanups.run()
}

/** Prints it, unless a signal asks to end here. */
function say(text: string): void {
  if (stopped !== '') throw new Error(`Cannot go on: ${stopped}`)
  writeSync(1, `${text}\n`)
}

function findLxcfs(site: Site, suite?: string, path?: string): Command {
  if (path !== undefined) return builtLxcfs(path)
  return suite === undefined ? installLxcfs() : [unpackLxcfs(suite, join(site.directory, suite))]
}

async function compare(suite?: string, path?: string): Promise<void> {
  const { skip } = needs('runc')
  if (skip !== undefined) throw new Error(`Cannot compare: ${skip}`)
  const site = new Site()
  cleanups.add(() => site.remove())
  const program = findLxcfs(site, suite, path)
  const [name, ...before] = program
  const { all: version } = execaSync(name, [...before, '--version'], { all: true })
  say(`lxcfs ${lines(version).at(-1)}, Linux ${release()}`)

  const plain = join(site.directory, 'lxcfs')
  const cfs = join(site.directory, 'lxcfs-cfs')
  const start = (mountPoint: string, ...options: readonly string[]) =>
    startLxcfsOf(program, cleanups, mountPoint, ...options)
  const daemon = await start(plain)
  await start(cfs, '--enable-cfs')
  const mounts = [bindMount(plain, LXCFS.root), bindMount(cfs, LXCFS_CFS.root)]
  const box = new Box(site, `compare-lxcfs-${process.pid}`, {
    ...PATIENCE,
    memoryBytes: 64 * MIB,
    swapBytes: hasSwap() ? 64 * MIB : undefined,
    cpus: String(CPUS - 1),
    hostPrograms: true,
    mounts: [...mounts, { destination: '/shm', type: 'tmpfs', source: 'tmpfs' }],
  })
  cleanups.add(() => box.remove())
  await startHooked(site, box)
  await fillMemory(box)
  for (const [path, split] of FILES) await compareFile(box, path, text => new Map(split(text)))
  if (hasSwap()) await fillSwap(box)
  await readFromOutside(box)
  await readUptimeTwice(box)
  await burn(box)
  await changeLimits(box)
  say('\nThe cgroup above has 32 MiB and half a CPU: MemTotal, and CPUs in cpuinfo and stat')
  say(table(await readBelowLimits(cleanups, site, { ...PATIENCE, mounts }, ALL)))
  await killOurs(site, box)

  say('\nlxcfs is killed')
  await daemon.kill('SIGKILL')
  const rows = [['killed', await firstLine(box, LXCFS)]]
  execaSync('umount', ['-l', plain])
  await start(plain)
  say(table([...rows, ['and started again', await firstLine(box, LXCFS)]]))
}

async function startHooked(site: Site, box: Box): Promise<void> {
  await box.start()
  const mounts = readFileSync(`/proc/${await box.pid()}/mountinfo`, 'utf8')
  if (mounts.includes(' /proc/meminfo ')) return
  throw new Error(`Cannot compare: the hook has bound nothing\n${site.readLog()}`)
}

/** 8 MiB of a process, 12 MiB of a file and 4 MiB of tmpfs, so that meminfo has something to show. */
async function fillMemory(box: Box): Promise<void> {
  const hold = '(head -c 8M /dev/zero; sleep 900) | tail'
  const fill = 'head -c 12M /dev/zero > /tmp/file; head -c 4M /dev/zero > /shm/file'
  await box.sh(`nohup sh -c '${hold}' > /dev/null 2>&1 < /dev/null & ${fill}; sync /tmp/file`)
}

function hasSwap(): boolean {
  return lines(readFileSync('/proc/swaps', 'utf8')).length > 1
}

/** 60 MiB more of a process, with the rest more than its memory limit. */
async function fillSwap(box: Box): Promise<void> {
  const hold = '(head -c 60M /dev/zero; sleep 900) | tail'
  await box.sh(`nohup sh -c '${hold}' > /dev/null 2>&1 < /dev/null & sleep 5`)
  say('\nWith more in it than its memory limit')
  for (const [path, split] of FILES) {
    if (path !== '/proc/swaps' && path !== '/proc/meminfo') continue
    const isSwap = (name: string) => !path.endsWith('meminfo') || /swap/i.test(name)
    await compareFile(box, path, text => new Map(split(text).filter(([name]) => isSwap(name))))
  }
}

async function compareFile(box: Box, path: string, split: (text: string) => Fields) {
  const host = (): Fields => {
    const { mode, size } = statSync(path)
    const stat = ['mode, size', `${(mode & 0o777).toString(8)} ${size}`] as const
    return new Map([stat, ...split(readFileSync(path, 'utf8'))])
  }
  const before = host()
  const readers: Fields[] = []
  for (const { root } of BOTH) {
    const text = await box.sh(`stat -c '%a %s' ${root}${path} && cat ${root}${path} || true`)
    const [stat = '', ...content] = text.split('\n')
    const isThere = stat !== ''
    const fields = isThere ? split(content.join('\n')) : []
    readers.push(new Map([['mode, size', isThere ? stat : 'no such file'], ...fields]))
  }
  say(`\n${path}`)
  const rows = differences(before, host(), readers)
  say(table([['', 'host', LXCFS.name, PROCVEIL.name], ...rows]))
}

async function readFromOutside(box: Box): Promise<void> {
  say('\nThe host reads through /proc/PID/root')
  const pid = await box.pid()
  const rows = BOTH.map(({ name, root }) => {
    const first = (file: string) =>
      lines(readFileSync(`/proc/${pid}/root${root}/proc/${file}`, 'utf8'))[0] ?? ''
    return [name, first('meminfo'), `uptime ${first('uptime')}`]
  })
  say(table(rows))
}

async function readUptimeTwice(box: Box): Promise<void> {
  say('\n/proc/uptime, and once more 2 seconds later')
  const rows = BOTH.map(async ({ name, root }) => {
    const read = `cat ${root}/proc/uptime`
    return [name, ...lines(await box.sh(`${read}; sleep 2; ${read}`))]
  })
  say(table(await Promise.all(rows)))
}

async function ticksOf(box: Box): Promise<number[][]> {
  return Promise.all(ALL.map(async ({ root }) => ticks(await box.cat(`${root}/proc/stat`))))
}

/** One thread that never sleeps, on two CPUs of which half a one may be used. */
async function burn(box: Box): Promise<void> {
  const cpus = `0-${CPUS - 1}`
  await box.update('--cpuset-cpus', cpus, '--cpu-period', '100000', '--cpu-quota', '50000')
  say(
    `\nCPUs ${cpus}, quota half a CPU: CPUs in cpuinfo, stat and online, and the first line of stat`,
  )
  const counts = ALL.map(async ({ name, root }) => {
    const cpuinfo = await box.sh(`grep -c ^processor ${root}/proc/cpuinfo`)
    const online = await box.cat(`${root}/sys/devices/system/cpu/online`)
    const stat = await box.cat(`${root}/proc/stat`)
    return [name, cpuinfo, String(stat.match(/^cpu\d/gm)?.length), online, ticks(stat).join(' ')]
  })
  say(table(await Promise.all(counts)))

  say(`\nHow much the line "cpu" of /proc/stat grows in ${BURN_SECONDS} seconds of one busy thread`)
  const host = () => ticks(readFileSync('/proc/stat', 'utf8'))
  const before = [host(), ...(await ticksOf(box))]
  await box.sh(`timeout ${BURN_SECONDS} sh -c 'while :; do :; done' || true`)
  const after = [host(), ...(await ticksOf(box))]
  const grown = after.map((all, i) => all.map((value, j) => String(value - (before[i]?.[j] ?? 0))))
  const names = ['host', ...ALL.map(({ name }) => name)]
  say(table([['', ...CLASSES], ...names.map((name, i) => [name, ...(grown[i] ?? [])])]))
  const load = BOTH.map(async ({ name, root }) => [name, await box.cat(`${root}/proc/loadavg`)])
  say(`\n/proc/loadavg then\n${table(await Promise.all(load))}`)
}

async function changeLimits(box: Box): Promise<void> {
  say('\nThe line "cpu" of /proc/stat as limits change')
  let last = await ticksOf(box)
  const show = (change: string, now: number[][]) => {
    const rows = ALL.map(({ name }, i) => {
      const fell = CLASSES.filter((_, j) => (now[i]?.[j] ?? 0) < (last[i]?.[j] ?? 0))
      return [name, now[i]?.join(' ') ?? '', fell.length > 0 ? `fell: ${fell.join(', ')}` : '']
    })
    say(`${change}\n${table(rows)}`)
    last = now
  }
  show('first', last)
  const one = ['--cpuset-cpus', '0']
  const all = ['--cpuset-cpus', `0-${CPUS - 1}`]
  for (const change of [one, all, ['--cpu-quota', '-1'], ['--cpu-quota', '50000']]) {
    await box.update(...change)
    show(change.join(' '), await ticksOf(box))
  }
}

/** First line of meminfo, or why there is none. */
async function firstLine(box: Box, { root }: { root: string }): Promise<string> {
  return lines(await box.sh(`cat ${root}/proc/meminfo 2>&1 || true`))[0] ?? 'nothing'
}

async function killOurs(site: Site, box: Box): Promise<void> {
  say('\nprocveil is killed')
  const rows: string[][] = []
  const kill = async (what: string, ...commands: readonly string[]) => {
    await retry(() => {
      if (site.servers().length < 2) throw new Error('Cannot go on: procveil is not whole again')
    })
    for (const pid of site.servers()) {
      const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
      if (args.some(arg => commands.includes(arg))) process.kill(pid, 'SIGKILL')
    }
    rows.push([what, await firstLine(box, PROCVEIL)])
  }
  await kill('its server', 'server')
  await kill('its keeper', 'serve')
  await kill('both', 'serve', 'server')
  const state = { id: box.id, status: 'running', pid: await box.pid(), bundle: box.bundle }
  const { stderr } = await site.hook(state, '--timeout', '28')
  rows.push(['then the hook runs again', stderr || (await firstLine(box, PROCVEIL))])
  say(table(rows))
}
