/** What it costs to find inits on a host whose users want it to cost much. */

import t from 'tap'
import { Host } from '../../src/host/host.ts'
import { PidNamespaces } from '../../src/view/pid-namespaces.ts'
import { TestClock } from '../machines/machine.ts'

interface Process {
  parent: number
  pids: readonly number[]
  namespace: string
  /** How long it takes the kernel to make `status`. */
  statusUsec?: number
  /** What is in the line Groups. */
  groups?: string
}

/** A host whose files take time. */
class SlowHost extends Host {
  override readonly clock: TestClock
  readonly processes = new Map<number, Process>()
  readonly opened: string[] = []

  constructor() {
    const clock = new TestClock()
    super('/nonexistent-procveil/', clock)
    this.clock = clock
  }

  add(pid: number, process: Process): void {
    this.processes.set(pid, process)
  }

  override tryRead(path: string, mostBytes = Number.POSITIVE_INFINITY): string | undefined {
    this.opened.push(path)
    const [, pid, name] = path.split('/')
    const process = this.processes.get(Number(pid))
    if (process === undefined) return undefined
    const { parent, pids, statusUsec = 15, groups = '' } = process
    this.clock.usec += name === 'status' ? statusUsec : 10
    if (name !== 'status') return `${pid} (x) S ${parent} ${'0 '.repeat(17)}${pid} 0\n`
    const text = `PPid:\t${parent}\nGroups:\t${groups}\nNSpid:\t${pids.join('\t')}\n`
    return text.length > mostBytes ? undefined : text
  }

  override tryReadLink(path: string): string | undefined {
    this.clock.usec += 5
    return this.processes.get(Number(path.split('/')[1]))?.namespace
  }

  override list(): string[] {
    return [...this.processes.keys()].map(String)
  }

  override directories(): string[] {
    return this.list()
  }
}

/** Has callers read for 3 s. Returns the longest lookup, and which part of the time all took. */
function hold(host: SlowHost, look: (i: number) => unknown) {
  const startUsec = host.clock.usec
  let [longest, worked, found] = [0, 0, 0]
  for (let i = 0; host.clock.usec < startUsec + 3e6; i++) {
    const beforeUsec = host.clock.usec
    if (look(i) !== undefined) found++
    const took = host.clock.usec - beforeUsec
    longest = Math.max(longest, took)
    worked += took
    host.clock.usec += 100
  }
  return { longest, found, part: worked / (host.clock.usec - startUsec) }
}

const GROUPS = '4294967290 '.repeat(65_536)

function fill(host: SlowHost, count: number): void {
  for (let pid = 1000; pid < 1000 + count; pid++) {
    host.add(pid, { parent: 1, pids: [pid], namespace: 'host' })
  }
}

t.test('processes that enter ever new namespaces do not hold the server', async t => {
  const host = new SlowHost()
  fill(host, 30_000)
  const namespaces = new PidNamespaces(host)
  const { longest, found, part } = hold(host, i => {
    host.add(500, { parent: 400, pids: [500, 2], namespace: `own ${i}` })
    return namespaces.findInit(500)
  })
  t.equal(found, 0)
  t.ok(longest < 25_000, `a caller waits for ${longest} us`)
  t.ok(part < 0.3, `${part} of the time`)
})

t.test('nor do processes in as many groups as there may be', async t => {
  const host = new SlowHost()
  for (let pid = 1000; pid < 1300; pid++) {
    const pids = [pid, pid - 998]
    host.add(pid, {
      ...{ parent: pid - 1, pids, namespace: 'own' },
      statusUsec: 22e3,
      groups: GROUPS,
    })
  }
  const namespaces = new PidNamespaces(host)
  const { longest, found, part } = hold(host, () => namespaces.findInit(1299))
  t.equal(found, 0)
  t.ok(longest < 25_000, `a caller waits for ${longest} us`)
  t.ok(part < 0.3, `${part} of the time`)
})

t.test('of a host with many processes all are searched in the end', async t => {
  const host = new SlowHost()
  fill(host, 30_000)
  host.add(50_000, { parent: 400, pids: [50_000, 1], namespace: 'box' })
  host.add(500, { parent: 400, pids: [500, 2], namespace: 'box' })
  host.add(501, { parent: 400, pids: [501, 2], namespace: 'other' })
  host.add(50_001, { parent: 400, pids: [50_001, 1], namespace: 'other' })
  const namespaces = new PidNamespaces(host)
  const found = new Set<number | undefined>()
  for (let i = 0; i < 40; i++) {
    found.add(namespaces.findInit(500)?.pid)
    found.add(namespaces.findInit(501)?.pid)
    host.clock.usec += 100_000
  }
  t.strictSame([...found], [undefined, 50_000, 50_001])
  host.processes.delete(500)
  host.clock.advance(60)
  t.equal(namespaces.findInit(501)?.pid, 50_001)
})

t.test('inits that are found in the usual time are never put off', async t => {
  const host = new SlowHost()
  const namespaces = new PidNamespaces(host)
  for (let pid = 1000; pid < 1100; pid += 2) {
    const namespace = `box ${pid}`
    host.add(pid, { parent: 400, pids: [pid, 1], namespace })
    host.add(pid + 1, { parent: pid, pids: [pid + 1, 2], namespace })
    t.equal(namespaces.findInit(pid + 1)?.pid, pid)
  }
})

t.test('each process on the way is read once', async t => {
  const host = new SlowHost()
  host.add(10, { parent: 4, pids: [10, 1], namespace: 'box' })
  for (let pid = 11; pid < 20; pid++) {
    host.add(pid, { parent: pid - 1, pids: [pid, pid], namespace: 'box' })
  }
  t.equal(new PidNamespaces(host).findInit(19)?.pid, 10)
  const read = host.opened.filter(path => path.endsWith('/status'))
  t.equal(read.length, 10)
  t.equal(new Set(read).size, 10)
})

t.test('of a process of our own namespace nothing is read', async t => {
  const host = new SlowHost()
  fill(host, 1)
  host.tryReadLink = () => 'host'
  t.equal(new PidNamespaces(host).findInit(1000), undefined)
  t.strictSame(host.opened, [])
})
