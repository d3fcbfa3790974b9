import { readFileSync } from 'node:fs'
import t from 'tap'
import { Groups } from '../../src/cgroup/groups.ts'
import { objectOf } from '../../src/host/json.ts'
import { type FindKept, keptHere } from '../../src/proc/kept.ts'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import { ContainerView } from '../../src/view/container-view.ts'
import { takeOver } from '../../src/view/earlier-state.ts'
import { filesOf, renderAll } from '../property/container.ts'
import { hostFiles, SMALL_HOST } from '../property/hosts.ts'
import { MemoryHost } from '../property/memory-host.ts'
import { cgroupPaths, HEALTHY_LEVEL, hierarchiesOf, type Tree } from '../property/trees.ts'

interface Written {
  state: State
  monotonicUsec: number
  stat: string
  loadavg: string
  diskstats: string
}
interface State {
  id: string
  cpu: Record<string, unknown>
  load: Record<string, unknown>
  disks: Record<string, { shown: Record<string, unknown> }>
}

const written = (name: string): Written =>
  JSON.parse(readFileSync(new URL(`../../fixtures/states/${name}.json`, import.meta.url), 'utf8'))

/** A view on the host that had the state, as it is some seconds later. */
function open(name: string, kept: FindKept, seconds = 0) {
  const { monotonicUsec } = written(name)
  const tree: Tree = {
    kind: name === 'v1' ? 'v1' : 'v2',
    levels: [HEALTHY_LEVEL],
    threads: 'RSD',
  }
  const host = new MemoryHost(...filesOf(hostFiles(SMALL_HOST), tree))
  if (name === 'host') host.set({ 'sys/fs/cgroup/ctr/cpu.stat': undefined })
  host.clock.usec = monotonicUsec + seconds * 1e6
  const view = new ContainerView({
    groups: new Groups(host, hierarchiesOf(tree.kind)),
    subject: {
      ...{ cgroups: cgroupPaths(tree), pid: 4242, startTicks: 100_000, rootMount: 61 },
      kept,
    },
    options: { ...DEFAULT_OPTIONS, diskTimes: 'apportion' },
  })
  return renderAll({ host, view })
}

t.test('a view goes on from what 0.2.0 has written down', async t => {
  for (const name of ['v1', 'v2', 'host']) {
    const { state, stat, loadavg, diskstats } = written(name)
    const kept = keptHere()
    takeOver({ ...state }, 'box', kept)
    const texts = open(name, kept)
    t.equal(texts.get('proc/stat')?.split('intr')[0], stat, name)
    t.equal(texts.get('proc/loadavg'), loadavg, name)
    t.equal(texts.get('proc/diskstats'), diskstats, name)
    const idle = (text: string) => Number(text.split(/ +/)[4])
    const later = open(name, kept, 10).get('proc/stat') ?? ''
    const perCent = name === 'host' ? 0 : 200
    t.equal(Math.round(idle(later) - idle(stat)), perCent * 10, `${name}, 10 seconds later`)
  }
})

t.test('the counters of CPUs and disks do not fall', async t => {
  const { state } = written('v1')
  Object.assign(state.disks['8:0']?.shown ?? {}, { reads: 5000 })
  const perCpu = objectOf(objectOf(state.cpu.raw)?.perCpu)
  Object.assign(objectOf(perCpu?.['1']) ?? {}, { userUsec: 1_500_000 })
  const kept = keptHere()
  takeOver({ ...state }, 'box', kept)
  const texts = open('v1', kept, 10)
  t.match(texts.get('proc/diskstats'), / sda 5000 /)
  t.match(texts.get('proc/stat'), /^cpu {2}350 0 80 .*\ncpu0 200 0 40 .*\ncpu1 150 0 40 /)
})

/** What is kept of a damaged state, by part. */
function keptOf(state: State, id = 'box') {
  const found = new Map<number, string>()
  const kept = keptHere()
  takeOver({ ...state }, id, what => {
    found.set(what, what === 1 ? 'cpu' : what === 2 ? 'load' : 'disks')
    return kept(what)
  })
  return [...found.values()]
}

t.test('the state of another container is none', async t => {
  t.strictSame(keptOf(written('v2').state, 'other'), [])
  const { id: _, ...nameless } = written('v2').state
  t.strictSame(keptOf(nameless as State), ['cpu', 'load', 'disks'])
})

t.test('a part that is damaged begins anew, and the others go on', async t => {
  const damages: readonly [part: string, damage: (state: State) => void][] = [
    ['cpu', ({ cpu }) => Object.assign(cpu.total as object, { idleUsec: null })],
    ['cpu', ({ cpu }) => Object.assign(cpu, { cpus: [{}] })],
    ['cpu', ({ cpu }) => Object.assign(cpu, { raw: { source: 'cgroup' } })],
    ['cpu', ({ cpu }) => Object.assign(objectOf(cpu.raw) ?? {}, { hostBusyUsec: { x: 1 } })],
    ['load', ({ load }) => Object.assign(load, { gridUsec: -1e300 })],
    ['load', ({ load }) => Object.assign(load, { loads: [1, 2] })],
    ['load', ({ load }) => Object.assign(load, { count: { running: 1 } })],
    ['disks', ({ disks }) => Object.assign(disks['8:0']?.shown ?? {}, { reads: 0.5 })],
    ['disks', ({ disks }) => Object.assign(disks, { '8:0': { shown: {} } })],
  ]
  for (const [part, damage] of damages) {
    const { state } = written('v2')
    damage(state)
    t.strictSame(
      keptOf(state),
      ['cpu', 'load', 'disks'].filter(each => each !== part),
      `${damage}`,
    )
  }
})

t.test('a device that has no number has no counters', async t => {
  const { state } = written('v2')
  const [disk] = Object.values(state.disks)
  t.strictSame(keptOf({ ...state, disks: { 'x:0': disk as never } }), ['cpu', 'load'])
})
