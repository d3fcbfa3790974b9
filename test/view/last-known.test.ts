/** What a server shows of a container that has ended before it was started. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Registry } from '../../src/container/registry.ts'
import { FILES } from '../../src/proc/files.ts'
import { OwnNumbers, WHAT } from '../../src/proc/kept.ts'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import { lastKnown } from '../../src/view/last-known.ts'
import { Views } from '../../src/view/views.ts'
import { machine } from '../machines/machine.ts'
import { numberMap, recordsIn } from '../machines/records.ts'
import { SAMPLE_HOST, SAMPLE_MEMORY_STAT } from '../machines/sample-host.ts'

const PID = 4242
const SLOT = 5
/** The machine has been up for 10000 seconds, and the container for 100. */
const START_TICKS = 990_000
const CPUINFO = Array.from({ length: 8 }, (_, i) => `processor\t: ${i}\n\n`).join('')
const statOf = (ticks: number) => `${PID} (sh) S 1 ${'0 '.repeat(17)}${ticks} 0 0\n`

const FILES_OF_MACHINE = {
  ...SAMPLE_HOST,
  'proc/cpuinfo': CPUINFO,
  'proc/self/mountinfo': '30 20 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
  'sys/fs/cgroup/cgroup.controllers': 'cpu cpuset io memory pids\n',
  'sys/fs/cgroup/pod/memory.max': '536870912\n',
  'sys/fs/cgroup/pod/memory.high': '419430400\n',
  'sys/fs/cgroup/pod/memory.current': '400000000\n',
  'sys/fs/cgroup/pod/memory.stat': SAMPLE_MEMORY_STAT,
  'sys/fs/cgroup/pod/ctr/memory.max': 'max\n',
  'sys/fs/cgroup/pod/ctr/memory.current': '314572800\n',
  'sys/fs/cgroup/pod/ctr/memory.stat': SAMPLE_MEMORY_STAT,
  'sys/fs/cgroup/pod/ctr/memory.swap.max': '268435456\n',
  'sys/fs/cgroup/pod/ctr/memory.swap.current': '10485760\n',
  'sys/fs/cgroup/pod/ctr/cpu.max': '150000 100000\n',
  'sys/fs/cgroup/pod/ctr/cpu.stat': 'usage_usec 40000000\nuser_usec 30000000\nsystem_usec 1\n',
  'sys/fs/cgroup/pod/ctr/cpuset.cpus.effective': '1,3-5\n',
  'sys/fs/cgroup/pod/ctr/io.stat':
    '8:0 rbytes=1459200 wbytes=4096 rios=192 wios=1 dbytes=0 dios=0\n',
  'sys/fs/cgroup/pod/ctr/cgroup.threads': `${PID}\n`,
  [`proc/${PID}/stat`]: statOf(START_TICKS),
  [`proc/${PID}/timens_offsets`]: 'monotonic 0 0\nboottime 3600 0\n',
}

/** All that is kept; there is no pressure on this machine. */
const NAMES = FILES.map(({ path }) => path).filter(path => !path.includes('pressure'))

function withContainer(t: Test) {
  const host = machine(t, FILES_OF_MACHINE)
  const run = join(host.directory, 'run')
  mkdirSync(run)
  const registry = new Registry(run)
  registry.register({
    ...{ id: 'box', pid: PID, startTicks: START_TICKS, slot: SLOT, cgroups: { '': '/pod/ctr' } },
    ...{ rootfs: '/', rootMount: 1, options: {} },
  })
  const map = numberMap()
  const devices = { nodes: [], rootDisk: { major: 8, minor: 0 }, collectedUsec: 0, isEarly: false }
  /** Starts a server: what it keeps is there for the next one. */
  const start = () => {
    const views = new Views({
      ...{ host, registry, defaults: DEFAULT_OPTIONS, records: recordsIn(run, map) },
      ...{ report: () => {}, isOpen: () => true },
      finder: {
        files: { find: () => devices, version: () => '1' },
        ...{ clock: host.clock, want: () => false, isAlive: () => false },
      },
    })
    return () =>
      Object.fromEntries(
        FILES.filter(({ path }) => NAMES.includes(path)).map(({ path, render }) => {
          const view = views.ofSlot(SLOT)
          return [path, view === undefined ? 'no view' : `${render(view)}`]
        }),
      )
  }
  const end = () => {
    host.set({ [`proc/${PID}`]: undefined, 'sys/fs/cgroup/pod/ctr': undefined })
    host.clock.advance(60)
  }
  return { host, registry, start, end }
}

t.test('the next server shows what was shown last of a container that has ended', async t => {
  const { host, start, end } = withContainer(t)
  const read = start()
  const last = read()
  t.match(last['proc/meminfo'], /^MemTotal: +524288 kB\n/)
  t.match(last['proc/cpuinfo'], /^processor\t: 0\n\nprocessor\t: 1\n\n$/)
  t.match(last['proc/uptime'], /^13600\.00 /)
  t.match(last['proc/diskstats'], / sda 192 /)
  end()
  const texts = start()()
  t.strictSame(texts, last, 'one that has never seen it run')
  t.strictSame(texts, read(), 'as the server does that has')
  host.clock.advance(60)
  t.strictSame(start()(), last, 'nor does time go on for the next')
  host.set({ 'sys/fs/cgroup/pod': undefined, [`proc/${PID}/stat`]: statOf(START_TICKS + 9) })
  t.strictSame(start()(), last, 'another process with its pid is another')
})

t.test('so does a server that was there when it ended and had not read it', async t => {
  const { start, end } = withContainer(t)
  const last = start()()
  const read = start()
  read()['proc/uptime']
  const unread = start()
  end()
  t.strictSame(unread(), last)
})

t.test(
  'so does one that is started after the container was forgotten, but for its disks',
  async t => {
    const { registry, start, end } = withContainer(t)
    const first = start()
    const { 'proc/diskstats': disks, 'proc/partitions': partitions, ...last } = first()
    end()
    registry.forget('box')
    t.match(first(), { ...last, 'proc/diskstats': disks, 'proc/partitions': partitions })
    const texts = start()()
    t.match(texts, last)
    t.notMatch(texts['proc/diskstats'], /./)
    t.notMatch(texts['proc/partitions'], / sda/)

    const never = withContainer(t)
    never.end()
    never.registry.forget('box')
    t.equal(never.start()()['proc/meminfo'], 'no view', 'of whom nothing is kept')
  },
)

t.test('a slot of which it cannot be told whose it is shows nothing that was kept', async t => {
  const { host, registry, start } = withContainer(t)
  start()()
  const file = (id: string) => join(host.directory, `run/containers/${id}.json`)
  // As an earlier version has left them, without a link that names one of both.
  writeFileSync(file('other'), readFileSync(file('box'), 'utf8').replace('box', 'other'))
  rmSync(join(host.directory, 'run/slots'), { recursive: true })
  t.equal(registry.owner(SLOT), undefined)
  t.equal(start()()['proc/meminfo'], 'no view')
})

t.test('what was never asked, or kept of an earlier run, is not known', async t => {
  const never = withContainer(t)
  never.end()
  t.equal(never.start()()['proc/cpuinfo'], CPUINFO)

  const again = withContainer(t)
  again.start()()
  again.registry.register({
    ...{ id: 'box', pid: PID, startTicks: START_TICKS + 500, slot: SLOT },
    cgroups: { '': '/pod/ctr' },
    ...{ rootfs: '/', rootMount: 1, options: {} },
  })
  again.end()
  t.equal(again.start()()['proc/cpuinfo'], CPUINFO)
})

t.test('what is kept and was damaged is not used', async t => {
  const kept = new Map<number, OwnNumbers>()
  const find = (what: number) => {
    const numbers = kept.get(what) ?? new OwnNumbers()
    kept.set(what, numbers)
    return numbers
  }
  const known = lastKnown(find, 7)
  const cpus = { effective: [0, 1, 2, 5], count: 2, quotaCpus: 1.5 }
  known.cpus.keep(cpus)
  known.age.keep(5e6)
  t.strictSame(known.cpus.recall(), cpus)
  const odd = Array.from({ length: 200 }, (_, i) => 2 * i + 1)
  known.cpus.keep({ effective: odd, count: 200, quotaCpus: 200 })
  t.equal(known.cpus.recall(), undefined, 'in more pieces than are kept')
  t.equal(known.age.recall(), 5e6)
  t.strictSame(known.memory.recall(), undefined)
  t.equal(lastKnown(find, 8).cpus.recall(), undefined, 'of another run')
  for (const damaged of [
    [7],
    [7, 0, 0],
    [7, 2, 1.5],
    [7, 2, Number.NaN, 0, 3],
    [7, 5, 4.5, 0, 3],
    [7, 2, 3, 0, 3],
    [7, 2, 1.5, 3, 0],
    [7, 2, 1.5, 0, 2 ** 40],
    [7, 2, 1.5, 0],
  ]) {
    find(WHAT.cpus).store(Float64Array.from(damaged), damaged.length)
    t.equal(known.cpus.recall(), undefined, `${damaged}`)
  }
  for (const damaged of [[7], [7, 4096], [7, 4096, 1, 5], [7, -1, 0], [7, 4096, 4, 1, 1, 1, 1]]) {
    find(WHAT.memory).store(Float64Array.from(damaged), damaged.length)
    t.equal(known.memory.recall(), undefined, `${damaged}`)
  }
})
