/** Files that are read again and again while the host and the cgroups change agree with each other, and go on. */

import fc from 'fast-check'
import t from 'tap'
import { renderCpuList } from '../../src/cgroup/cpuset.ts'
import { checkCpuCounts } from '../consumers/files.ts'
import { nameTimes } from '../machines/cpu-times.ts'
import { initFiles, openContainer, renderAll, viewOf } from './container.ts'
import { cpuFiles, diskstats, hostFiles, SMALL_HOST } from './hosts.ts'
import { MemoryHost } from './memory-host.ts'
import { ensure, holds } from './runs.ts'
import { anyLevel, FIRST_TID, KINDS, quota, type Tree, treeFiles } from './trees.ts'

const MOST_CPUS = 5
const HOST = { ...SMALL_HOST, cpus: MOST_CPUS }
const MACHINE = hostFiles(HOST)

const step = fc.record({
  level: anyLevel,
  parentQuota: quota,
  threads: fc.string({ unit: fc.constantFrom('R', 'S', 'D'), maxLength: 3 }),
  online: fc.uniqueArray(fc.nat(MOST_CPUS - 1), { minLength: 1, maxLength: MOST_CPUS }),
  afterUsec: fc.oneof(fc.nat(20_000), fc.nat(30_000_000), fc.constant(86_400e6)),
  suspendedUsec: fc.oneof(fc.constant(0), fc.nat(2 ** 31 - 1)),
  /** Of the host's disks: a disk that was taken out and put in again counts from 0. */
  diskCount: fc.nat(100_000),
  /** Of the last pid: pids come round. */
  pid: fc.integer({ min: 1, max: 4_194_304 }),
  /** A cgroup may be made anew while the init lives on. */
  ofCgroup: fc.constantFrom('there', 'there', 'there', 'gone'),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const values = fc.record({
  kind: fc.constantFrom(...KINDS),
  diskTimes: fc.constantFrom('zero', 'apportion'),
  fractional: fc.constantFrom('steal', 'idle'),
  steps: fc.array(step, { minLength: 2, maxLength: 3 }),
})

/** Makes the host what it is at one moment. */
function setMoment(host: MemoryHost, tree: Tree, { online, diskCount, pid, ofCgroup }: Step): void {
  const sorted = [...online].sort((a, b) => a - b)
  host.reset()
  host.set(cpuFiles(HOST, sorted))
  host.set(initFiles(tree))
  host.set({
    'proc/diskstats': diskstats(HOST.kernel, diskCount),
    'sys/devices/system/cpu/online': `${renderCpuList(sorted)}\n`,
  })
  if (ofCgroup === 'gone') return
  host.set(treeFiles(tree))
  host.set({ [`proc/${FIRST_TID}/status`]: `NSpid:\t1\t${pid}\n` })
}

const treeAt = (kind: Tree['kind'], { level, parentQuota, threads }: Step): Tree => ({
  kind,
  levels: [level, { ...level, quota: parentQuota }],
  threads,
})

const COUNTING = /(cpuinfo|diskstats|loadavg|stat|uptime|online)$/

t.test('counts of CPUs agree, and no counter falls', async t => {
  holds(t, values, ({ kind, steps, ...options }) => {
    const [first] = steps
    if (first === undefined) return
    const tree = treeAt(kind, first)
    const host = new MemoryHost(MACHINE)
    setMoment(host, tree, first)
    const container = { host, view: viewOf(host, tree, options) }
    const counters = new Map<string, number>()
    for (const step of steps) {
      host.clock.usec += step.afterUsec
      host.clock.suspendedUsec += step.suspendedUsec
      setMoment(host, treeAt(kind, step), step)
      const texts = renderAll(container, COUNTING)
      checkCpuCounts(texts)
      for (const [name, count] of countersOf(texts)) {
        const last = counters.get(name) ?? 0
        ensure(count >= last, () => `${name} fell from ${last} to ${count}`)
        counters.set(name, count)
      }
      checkUptime(texts, host)
    }
  })
})

/** What never falls as long as a container lives, by a name for each. */
function countersOf(texts: ReadonlyMap<string, string>): Map<string, number> {
  const counters = new Map<string, number>()
  const add = (name: string, words: readonly string[]) => {
    for (const [i, word] of words.entries()) counters.set(`${name} ${i}`, Number(word))
  }
  add('uptime', texts.get('proc/uptime')?.trim().split(' ') ?? [])
  for (const line of texts.get('proc/stat')?.split('\n') ?? []) {
    const [name = '', ...words] = line.split(/ +/)
    if (name.startsWith('cpu')) add(name, words)
  }
  for (const line of texts.get('proc/diskstats')?.split('\n') ?? []) {
    const [major, minor, , ...words] = line.trim().split(/ +/)
    if (minor !== undefined) add(`disk ${major}:${minor}`, words)
  }
  const newest = texts.get('proc/loadavg')?.trim().split(' ')[4]
  const own = texts.get('proc/loadavg') !== MACHINE['proc/loadavg']
  if (newest !== undefined && own) add('last pid', [newest])
  return counters
}

/** Idle time is no more than that of all CPUs there ever were. */
function checkUptime(texts: ReadonlyMap<string, string>, host: MemoryHost): void {
  const text = texts.get('proc/uptime') ?? ''
  const [age = 0, idle = 0] = text.split(' ').map(Number)
  const sinceBoot = host.clock.boottimeUsec() / 1e6
  ensure(age <= sinceBoot, () => `older than the host: ${text}`)
  const cpuIdle = Number(texts.get('proc/stat')?.split(/ +/)[4]) / 100
  ensure(Math.abs(idle - cpuIdle) < 0.011, () => `idle in stat is ${cpuIdle}, in uptime: ${text}`)
}

t.test('idle time is at most the age of all CPUs', async t => {
  const values = fc.record({
    kind: fc.constantFrom(...KINDS),
    quota,
    level: anyLevel,
    steps: fc.array(fc.nat(2 ** 31 - 1), { maxLength: 5 }),
  })
  holds(t, values, ({ kind, quota, level, steps }) => {
    const tree: Tree = { kind, levels: [{ ...level, quota }], threads: '' }
    const { host, view } = openContainer(MACHINE, tree)
    for (const usec of [0, ...steps]) {
      host.clock.usec += usec
      const { count } = view.cpus()
      const { idleUsec } = nameTimes(view.cpuTimes()).total
      const mostUsec = count * (view.uptimeUsec() ?? 0)
      ensure(idleUsec <= mostUsec + 1, () => `${idleUsec} us idle of ${mostUsec}`)
    }
  })
})
