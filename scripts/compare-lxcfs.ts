/**
 * `node scripts/bun.mjs scripts/compare-lxcfs.ts`, as root: one container under runc that reads Debian's lxcfs below
 * /lxcfs and procveil in /proc. Prints where they differ from each other and from the host, and leaves nothing behind.
 */

import { readFileSync, statSync, writeSync } from 'node:fs'
import { availableParallelism, release } from 'node:os'
import { join } from 'node:path'
import { execaSync } from 'execa'
import { Box } from '../test/kit/box.ts'
import { Cleanups } from '../test/kit/cleanups.ts'
import { startLxcfs } from '../test/kit/lxcfs.ts'
import { isInPath, needs, retry } from '../test/kit/requirements.ts'
import { bindMount } from '../test/kit/runc-config.ts'
import { Site } from '../test/kit/site.ts'
import { CLASSES, differences, FILES, type Fields, lines, table, ticks } from './compare-fields.ts'

/** Where the container finds the files of each. */
const LXCFS = { name: 'lxcfs -l', root: '/lxcfs' }
const LXCFS_CFS = { name: 'lxcfs -l --enable-cfs', root: '/lxcfs-cfs' }
const PROCVEIL = { name: 'procveil', root: '' }
const BOTH = [LXCFS, PROCVEIL]
const ALL = [LXCFS, LXCFS_CFS, PROCVEIL]

const CPUS = availableParallelism()
const BURN_SECONDS = 12

const cleanups = new Cleanups('compare-lxcfs')
let stopped = ''
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (stopped = signal))
try {
  prepare()
  await compare()
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

function prepare(): void {
  const { skip } = needs('runc')
  if (skip !== undefined) throw new Error(`Cannot compare: ${skip}`)
  if (isInPath('lxcfs')) return
  const options = { reject: false, env: { DEBIAN_FRONTEND: 'noninteractive' } }
  const apt = (...args: string[]) =>
    execaSync('apt-get', ['-qq', '-y', ...args], options).exitCode === 0
  const packages = ['install', '--no-install-recommends', 'lxcfs']
  if (apt(...packages) || (apt('update') && apt(...packages))) return
  throw new Error('Cannot install lxcfs: install it and run the comparison again')
}

async function compare(): Promise<void> {
  const site = new Site()
  cleanups.add(() => site.remove())
  say(`lxcfs ${execaSync('lxcfs', ['--version'], { all: true }).all}, Linux ${release()}`)

  const plain = join(site.directory, 'lxcfs')
  const cfs = join(site.directory, 'lxcfs-cfs')
  const daemon = await startLxcfs(cleanups, plain)
  await startLxcfs(cleanups, cfs, '--enable-cfs')
  const box = new Box(site, `compare-lxcfs-${process.pid}`, {
    memoryBytes: 64 * 2 ** 20,
    cpus: String(CPUS - 1),
    hostPrograms: true,
    mounts: [
      bindMount(plain, LXCFS.root),
      bindMount(cfs, LXCFS_CFS.root),
      { destination: '/shm', type: 'tmpfs', source: 'tmpfs' },
    ],
  })
  cleanups.add(() => box.remove())
  await box.start()
  await fillMemory(box)
  for (const [path, split] of FILES) await compareFile(box, path, text => new Map(split(text)))
  await readFromOutside(box)
  await readUptimeTwice(box)
  await burn(box)
  await changeLimits(box)
  await killOurs(site, box)

  say('\nlxcfs is killed')
  await daemon.kill('SIGKILL')
  const rows = [['killed', await firstLine(box, LXCFS)]]
  execaSync('umount', ['-l', plain])
  await startLxcfs(cleanups, plain)
  say(table([...rows, ['and started again', await firstLine(box, LXCFS)]]))
}

/** 8 MiB of a process, 12 MiB of a file and 4 MiB of tmpfs, so that meminfo has something to show. */
async function fillMemory(box: Box): Promise<void> {
  const hold = '(head -c 8M /dev/zero; sleep 900) | tail'
  const fill = 'head -c 12M /dev/zero > /tmp/file; head -c 4M /dev/zero > /shm/file'
  await box.sh(`nohup sh -c '${hold}' > /dev/null 2>&1 < /dev/null & ${fill}; sync /tmp/file`)
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
  const { stderr } = await site.hook(state)
  rows.push(['then the hook runs again', stderr || (await firstLine(box, PROCVEIL))])
  say(table(rows))
}
