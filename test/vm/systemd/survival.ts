/** systemd keeps the mount: whatever is killed, no reader fails; and where nothing can start any more, containers see the host's. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { execaSync } from 'execa'
import t, { type Test } from 'tap'
import { retry } from '../../kit/requirements.ts'
import { size } from '../../kit/size.ts'
import { dpkg, HOST, PROCVEIL, run, traces } from '../packages/machine.ts'
import { IMAGE } from '../podman.ts'

const UNIT = 'procveil.service'
const VERSION = process.env.PROCVEIL_VERSION ?? ''
/** Where a machine has cgroup v1 as well, the controllers are there, and what systemd counts by is cgroup v2. */
const isHybrid = existsSync('/sys/fs/cgroup/unified')
const CGROUP = `/sys/fs/cgroup/${isHybrid ? 'unified/' : ''}system.slice/${UNIT}`
const MEMORY = isHybrid ? `/sys/fs/cgroup/memory/system.slice/${UNIT}` : CGROUP
const MEMORY_LIMIT = `${MEMORY}/${isHybrid ? 'memory.limit_in_bytes' : 'memory.max'}`
const READER = '/share/test/guest/reader.mjs'
const READERS = 4
/** /dev/fuse, the memory of requests, and the executable. */
const STORED = '3'
/** An emulated machine has no CPU time for readers that never rest. */
const PAUSE_MS = process.env.PROCVEIL_TEST_PAUSE_MS ?? '20'
/** The readers of a container need more than 64 MiB. */
const LIMITED = 'MemTotal: 262144 kB'

/** The machine is emulated, and slow. */
const LATE_MS = 240_000

interface Seen {
  reads: number
  failed: string[]
  wrong: string[]
  longestMs: number
}

/** A container in which the files are read without pause, and what was read is checked. */
class Load {
  readonly #name: string
  readonly #root: string

  constructor(name: string) {
    this.#name = name
    const readers = Array.from(
      { length: READERS },
      (_, i) => `/share/node ${READER} ${i % 2 ? 65_536 : 512} ${PAUSE_MS} >/tmp/seen${i} &`,
    )
    const binds = ['/usr', '/lib', '/lib64', '/share'].flatMap(path => [
      '--volume',
      `${path}:${path}:ro`,
    ])
    const flags = ['--detach', '--network', 'none', '--memory', '256m']
    const go = 'until [ -e /tmp/go ]; do usleep 100000; done'
    const script = `${go}; ${readers.join(' ')} wait; touch /tmp/over; sleep 100000`
    run('podman', 'run', ...flags, ...binds, '--name', name, IMAGE, 'sh', '-c', script)
    this.#root = `/proc/${run('podman', 'inspect', '--format', '{{.State.Pid}}', name)}/root`
    // The machine may be too slow for a hook's 12 s.
    if (this.memTotal() !== LIMITED) run(PROCVEIL, 'remount', '--all')
    writeFileSync(`${this.#root}/tmp/go`, '')
  }

  memTotal(): string {
    const text = readFileSync(`${this.#root}/proc/meminfo`, 'utf8')
    return /^MemTotal.*$/m.exec(text)?.[0].replace(/\s+/g, ' ') ?? ''
  }

  /** Returns when each of the readers has read all files again. */
  async more(): Promise<void> {
    const before = this.#passes()
    await retry(() => {
      const now = this.#passes()
      if (now.length < READERS || now.some((passes, i) => passes < (before[i] ?? 0) + 2)) {
        throw new Error(`Cannot go on: not all of the readers read: ${now.join(' ')}`)
      }
    }, LATE_MS)
  }

  /** How often each of them has done so. */
  #passes(): number[] {
    return readdirSync(`${this.#root}/tmp`)
      .filter(name => name.startsWith('passes.'))
      .sort()
      .map(name => Number(tryRead(`${this.#root}/tmp/${name}`)))
  }

  async stop(): Promise<Seen[]> {
    writeFileSync(`${this.#root}/tmp/stop`, '')
    await retry(() => {
      if (!existsSync(`${this.#root}/tmp/over`)) throw new Error('Cannot see the readers end')
    }, LATE_MS)
    return Array.from({ length: READERS }, (_, i) =>
      JSON.parse(readFileSync(`${this.#root}/tmp/seen${i}`, 'utf8')),
    )
  }

  remove(): void {
    run('podman', 'rm', '--force', '--time', '0', this.#name)
  }
}

const show = (property: string) =>
  run('systemctl', 'show', `--property=${property}`, '--value', UNIT)

/** The processes of the service that keep the mount or answer. */
function processes(command?: 'serve' | 'server'): number[] {
  return readPids().filter(pid => {
    const args = tryRead(`/proc/${pid}/cmdline`).split('\0')
    return command === undefined
      ? args.includes('serve') || args.includes('server')
      : args.includes(command)
  })
}

const readPids = () =>
  tryRead(`${CGROUP}/cgroup.procs`).trim().split('\n').filter(Boolean).map(Number)

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name)
    } catch {
      // It has ended.
    }
  }
}

function killBoth(): void {
  const pids = processes()
  for (const name of ['SIGSTOP', 'SIGKILL'] as const) signal(pids, name)
}

/** cgroup v1 lowers a limit to what is used at the least, and kills for the next page: cgroup-v1/memory.rst, 2.5. */
function lowerMemoryLimit(): void {
  const limit = isHybrid ? tryRead(`${MEMORY}/memory.usage_in_bytes`) : '1M'
  try {
    writeFileSync(MEMORY_LIMIT, limit)
  } catch {
    // All have ended, or more is used by now.
  }
}

/** Returns when systemd has seen it. The server has started another keeper by then, which is none of systemd's. */
async function killKeeper(): Promise<void> {
  const main = show('MainPID')
  signal(processes('serve'), 'SIGKILL')
  await retry(() => {
    if (show('MainPID') === main) throw new Error(`Cannot go on: ${main} is the main process`)
  }, LATE_MS)
}

/** Waits until systemd calls the service started. */
const untilStarted = () =>
  retry(() => {
    const state = show('ActiveState')
    if (state !== 'active' || processes('server').length === 0) throw new Error(`It is ${state}`)
  }, LATE_MS)

/** Has readers read while something is done again and again, and sees that none has noticed. */
async function isUnnoticed(
  t: Test,
  act: (readOn: () => Promise<unknown>) => unknown,
): Promise<void> {
  const loads = ['one', 'two'].map(name => new Load(name))
  const readOn = () => Promise.all(loads.map(load => load.more()))
  try {
    await readOn()
    await act(readOn)
    await untilStarted()
    await readOn()
    for (const load of loads) t.equal(load.memTotal(), LIMITED)
    const seen = (await Promise.all(loads.map(load => load.stop()))).flat()
    const reads = seen.reduce((sum, each) => sum + each.reads, 0)
    const longest = Math.max(...seen.map(({ longestMs }) => longestMs))
    t.comment(`${reads} reads, the longest took ${Math.round(longest)} ms`)
    t.strictSame(
      seen.flatMap(({ failed }) => failed),
      [],
      'no read failed',
    )
    t.strictSame(
      seen.flatMap(({ wrong }) => wrong),
      [],
      'no text was short, mixed, or behind',
    )
  } finally {
    if (!t.passing()) t.comment(run('journalctl', '--no-pager', '--lines', '200', '--unit', UNIT))
    for (const load of loads) load.remove()
  }
}

async function again(
  times: number,
  readOn: () => Promise<unknown>,
  act: () => unknown,
): Promise<void> {
  for (let i = 0; i < times; i++) {
    await sleep(Math.random() * 300)
    await act()
    await untilStarted()
    await readOn()
  }
}

function findings(): { check: string; level: string; text: string; advice?: string }[] {
  const { stdout } = execaSync(PROCVEIL, ['doctor', '--json'], { reject: false, timeout: 60_000 })
  return JSON.parse(stdout)
}

const ofStore = () => findings().find(({ check }) => check === 'store')

t.setTimeout(0)
t.strictSame(traces(), [], 'nothing of ours is there')
dpkg.install(VERSION, 'procveil', 'procveil-podman')
t.teardown(() => dpkg.erase())

t.test('systemd knows all that the unit says', async t => {
  t.equal(run('systemd-analyze', 'verify', UNIT), '')
  t.equal(show('Type'), 'notify')
  await retry(() => t.equal(show('NFileDescriptorStore'), STORED))
  t.equal(ofStore()?.level, 'ok')
})

/** What kills, and how often at full size. */
const KILLS: Readonly<Record<string, { full: number; act: () => unknown }>> = {
  'both processes are killed at the same moment': { full: 200, act: killBoth },
  'the whole cgroup is killed': {
    full: 20,
    act: () => {
      // Linux has it since 5.14.
      if (existsSync(`${CGROUP}/cgroup.kill`)) writeFileSync(`${CGROUP}/cgroup.kill`, '1')
      else signal(readPids(), 'SIGKILL')
    },
  },
  'systemctl kills the service': {
    full: 20,
    act: () => run('systemctl', 'kill', '--signal', 'KILL', '--kill-whom', 'all', UNIT),
  },
  'all are killed for want of memory': {
    full: 20,
    act: async () => {
      const before = readFileSync(MEMORY_LIMIT, 'utf8')
      const pids = processes()
      await retry(() => {
        lowerMemoryLimit()
        if (processes().some(pid => pids.includes(pid))) throw new Error('Cannot see them killed')
      }, LATE_MS)
      if (existsSync(MEMORY_LIMIT)) writeFileSync(MEMORY_LIMIT, before)
    },
  },
}

for (const [name, { full, act }] of Object.entries(KILLS)) {
  t.test(name, async t => {
    const times = size({ short: 4, long: 20, full })
    await isUnnoticed(t, readOn => again(times, readOn, act))
  })
}

t.test('server, keeper or both are killed ten times a second', async t => {
  const acts = [
    () => signal(processes('server'), 'SIGKILL'),
    () => signal(processes('serve'), 'SIGKILL'),
    killBoth,
  ]
  await isUnnoticed(t, async () => {
    const end = Date.now() + size({ short: 10_000, long: 30_000, full: 120_000 })
    while (Date.now() < end) {
      acts[Math.floor(Math.random() * acts.length)]?.()
      await sleep(100)
    }
  })
})

t.test('the service is restarted under load', async t => {
  const times = size({ short: 3, long: 10, full: 50 })
  await isUnnoticed(t, readOn => again(times, readOn, () => run('systemctl', 'restart', UNIT)))
})

t.test('it goes over to another executable, and systemd to itself', async t => {
  await isUnnoticed(t, async readOn => {
    run('systemctl', 'reload', UNIT)
    await again(1, readOn, killBoth)
    run('systemctl', 'daemon-reexec')
    t.equal(show('NFileDescriptorStore'), STORED)
    await again(1, readOn, killBoth)
    await killKeeper()
    await untilStarted()
    run('systemctl', 'reload', UNIT)
    run('systemctl', 'restart', UNIT)
  })
})

t.test('a service that is stopped takes its files out', async t => {
  const load = new Load('stopped')
  t.teardown(() => load.remove())
  run('systemctl', 'stop', UNIT)
  t.equal(load.memTotal(), HOST)
  t.equal(show('NFileDescriptorStore'), '0')
  run('systemctl', 'start', UNIT)
  t.equal(load.memTotal(), LIMITED, 'and start returns when they are there again')
  const seen = await load.stop()
  t.strictSame(
    seen.flatMap(({ failed }) => failed),
    [],
  )
})

// systemd freezes units where cgroup v2 has the controllers.
if (!isHybrid) t.test('a unit that is frozen is thawed by what doctor names', thawsFrozen)

async function thawsFrozen(t: Test): Promise<void> {
  await isUnnoticed(t, async () => {
    run('systemctl', 'freeze', UNIT)
    const { level, advice = '' } = findings().find(({ check }) => check === 'mount') ?? {}
    t.equal(level, 'problem')
    t.match(advice, `systemctl thaw ${UNIT}`)
    run('sh', '-c', advice)
    t.equal(show('FreezerState'), 'running')
    await retry(() => {
      const found = findings().find(({ check }) => check === 'mount')
      if (found?.level !== 'ok') throw new Error(`Cannot find it well: ${found?.text}`)
    }, LATE_MS)
  })
}

t.test('an executable that is broken', async t => {
  const load = new Load('broken')
  t.teardown(() => load.remove())
  const good = `${PROCVEIL}.good`
  renameSync(PROCVEIL, good)
  t.teardown(() => rmSync(good, { force: true }))
  writeFileSync(PROCVEIL, 'broken\n')
  chmodSync(PROCVEIL, 0o755)
  killBoth()
  const startMs = Date.now()
  await retry(() => {
    // A file of the mount would hang until a server answers.
    if (tryRead(`/proc/${pidOf('broken')}/mountinfo`).includes('lxcfs')) throw new Error('not yet')
  }, LATE_MS)
  t.comment(`the files were out after ${Date.now() - startMs} ms`)
  t.equal(load.memTotal(), HOST)
  // The last word comes when all is done.
  await retry(() => {
    const journal = run('journalctl', '--no-pager', '--unit', UNIT)
    if (!/status=203\/EXEC[\s\S]*its files are taken out of all containers/.test(journal))
      throw new Error(`Cannot find out why: ${journal}`)
  }, LATE_MS)
  renameSync(good, PROCVEIL)
  run('systemctl', 'start', UNIT)
  t.equal(load.memTotal(), LIMITED, 'the right one puts them back')
  t.equal(ofStore()?.level, 'ok')
})

const pidOf = (name: string) => run('podman', 'inspect', '--format', '{{.State.Pid}}', name)

t.test('a store that is disabled', async t => {
  const directory = `/run/systemd/system/${UNIT}.d`
  mkdirSync(directory, { recursive: true })
  writeFileSync(`${directory}/store.conf`, '[Service]\nFileDescriptorStoreMax=0\n')
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  run('systemctl', 'daemon-reload')
  run('systemctl', 'stop', UNIT)
  run('systemctl', 'start', UNIT)
  await retry(() => {
    if (!run('journalctl', '--no-pager', '--unit', UNIT).includes('systemd keeps 0 of 3'))
      throw new Error('Cannot find what the keeper says')
  }, LATE_MS)
  t.match(ofStore(), { level: 'warning', text: /keeps 0 of 3/, advice: /systemctl reload/ })
  rmSync(directory, { recursive: true })
  run('systemctl', 'daemon-reload')
  run('systemctl', 'reload', UNIT)
  await retry(() => {
    if (ofStore()?.level !== 'ok') throw new Error(`Cannot find it well: ${ofStore()?.text}`)
  }, LATE_MS)
})
