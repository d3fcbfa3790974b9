/** Which views are kept, and what of one outlives it. */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Registry } from '../../src/container/registry.ts'
import { lookupKey, QUARANTINE_CELLS, Quarantine } from '../../src/filesystem/quarantine.ts'
import { WHAT } from '../../src/proc/kept.ts'
import { DEFAULT_OPTIONS } from '../../src/proc/options.ts'
import { renderUptime } from '../../src/proc/uptime.ts'
import type { View } from '../../src/proc/view.ts'
import type { ContainerView } from '../../src/view/container-view.ts'
import { Views } from '../../src/view/views.ts'
import { Machine, machine } from '../machines/machine.ts'
import { numberMap, recordsIn } from '../machines/records.ts'
import { SAMPLE_HOST } from '../machines/sample-host.ts'

const MANY = 300

t.test(
  'all that are read stay; one that had to go comes again with what it has accumulated',
  async t => {
    const host = machine(t, {
      ...SAMPLE_HOST,
      'proc/self/mountinfo': '30 20 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
      'sys/fs/cgroup/cgroup.controllers': 'cpu\n',
      'sys/fs/cgroup/ctr/cpu.stat': 'usage_usec 0\nuser_usec 0\nsystem_usec 0\n',
      'sys/fs/cgroup/ctr/cgroup.threads': '',
    })
    const run = join(host.directory, 'run')
    mkdirSync(run)
    const registry = new Registry(run)
    for (let slot = 1; slot <= MANY; slot++) {
      const container = { id: `c${slot}`, pid: 4242, startTicks: 1, slot, cgroups: { '': '/ctr' } }
      registry.register({ ...container, rootfs: '/', rootMount: 1, options: {} })
    }
    const views = new Views({
      host,
      registry,
      defaults: DEFAULT_OPTIONS,
      records: recordsIn(run),
      report: () => {},
      isOpen: () => false,
    })
    const read = (slot: number, render: (view: View) => string) => {
      const view = views.ofSlot(slot)
      if (view === undefined) throw new Error(`Cannot find the view of slot ${slot}`)
      const text = render(view)
      views.keep(view)
      return { view, text }
    }
    const idle = (text: string) => Number(text.split(' ')[1])

    const first = read(1, renderUptime)
    host.clock.advance(10)
    const second = read(1, renderUptime)
    t.equal(second.view, first.view)
    const cpus = (idle(second.text) - idle(first.text)) / 10
    t.ok(cpus > 0)

    for (let slot = 3; slot <= MANY; slot++) read(slot, renderUptime)
    host.clock.advance(10)
    const third = read(1, renderUptime)
    t.equal(third.view, first.view, 'however many there are')
    views.retain(1)
    views.release(1, 1)
    host.clock.advance(10)
    const fourth = read(1, renderUptime)
    t.not(fourth.view, first.view, 'the kernel has forgotten its nodes')
    t.equal(Math.round(idle(fourth.text) - idle(second.text)), 20 * cpus, 'its time went on')
  },
)

t.test('a registration that is lost and made again finds what was accumulated', async t => {
  const host = machine(t, { ...SAMPLE_HOST, 'proc/self/mountinfo': '' })
  const run = join(host.directory, 'run')
  mkdirSync(run)
  const registry = new Registry(run)
  const register = (slot: number) =>
    registry.register({
      ...{ id: `c${slot}`, pid: 4242, startTicks: 1, slot, cgroups: {} },
      ...{ rootfs: '/', rootMount: 1, options: {} },
    })
  for (let slot = 1; slot <= MANY; slot++) register(slot)
  const records = recordsIn(run)
  const views = new Views({
    ...{ host, registry, records, defaults: DEFAULT_OPTIONS },
    ...{ report: () => {}, isOpen: () => false },
  })
  const read = (slot: number) => renderUptime(views.ofSlot(slot) as View)
  read(1)
  const kept = () => records.of(1, 'c1')(WHAT.cpu).count
  const count = kept()
  t.ok(count > 0)
  rmSync(join(run, 'containers/c1.json'))
  for (let slot = 2; slot <= MANY; slot++) read(slot)
  register(MANY + 1)
  read(MANY + 1)
  t.equal(views.ofSlot(1), undefined, 'its view is gone')
  t.equal(kept(), count)
  register(1)
  registry.forget('c1')
  for (let slot = MANY + 2; slot <= 3 * MANY; slot++) {
    register(slot)
    read(slot)
  }
  t.equal(kept(), 0, 'until it is forgotten')
})

t.test('the view of a container that was forgotten goes when another is opened', async t => {
  const host = machine(t, { ...SAMPLE_HOST, 'proc/self/mountinfo': '' })
  const run = join(host.directory, 'run')
  mkdirSync(run)
  const registry = new Registry(run)
  for (const [i, id] of ['one', 'two', 'three'].entries()) {
    const container = { id, pid: 4242, startTicks: 1, slot: i + 1, cgroups: {} }
    registry.register({ ...container, rootfs: '/', rootMount: 1, options: {} })
  }
  let open = 0
  const views = new Views({
    ...{ host, registry, records: recordsIn(run), defaults: DEFAULT_OPTIONS },
    ...{ report: () => {}, isOpen: slot => slot === open },
  })
  const [one, two] = [views.ofSlot(1), views.ofSlot(2)]
  t.ok(one)
  t.ok(two)
  registry.forget('one')
  registry.forget('two')
  open = 2
  t.equal(views.ofSlot(1), one, 'its readers may go on')
  t.ok(views.ofSlot(3))
  t.equal(views.ofSlot(1), undefined)
  t.equal(views.ofSlot(2), two, 'somebody has a file of it open')
})

t.test('a node number shows one container only, and what that one has accumulated', async t => {
  const host = machine(t, { ...SAMPLE_HOST, 'proc/self/mountinfo': '' })
  const run = join(host.directory, 'run')
  mkdirSync(run)
  const registry = new Registry(run)
  const register = (id: string) =>
    registry.register({
      ...{ id, pid: 4242, startTicks: 1, slot: 5, cgroups: { '': `/${id}` } },
      ...{ rootfs: '/', rootMount: 1, options: {} },
    })
  const map = numberMap()
  const open = () =>
    new Views({
      ...{ host, registry, records: recordsIn(run, map), defaults: DEFAULT_OPTIONS },
      ...{ report: () => {}, isOpen: () => false },
    })
  const idOf = (views: Views) => (views.ofSlot(5) as ContainerView | undefined)?.id
  const idle = (views: Views) => Number(renderUptime(views.ofSlot(5) as View).split(' ')[1])
  register('first')
  const views = open()
  t.equal(views.findSlot('first'), 5)
  views.retain(5)
  t.equal(idOf(views), 'first')
  const shown = idle(views)
  t.ok(shown > 0)
  // Counters of the host that fall show who goes on from what was kept.
  host.set({ 'proc/stat': SAMPLE_HOST['proc/stat']?.replaceAll(/ \d+/g, ' 0') })
  host.clock.advance(10)
  const other = open()
  t.equal(idle(other), shown, 'what it had accumulated is there for the next server')

  // The registration went without a word, as when somebody removes the file.
  rmSync(join(run, 'containers/first.json'))
  register('second')
  t.equal(views.findSlot('second'), undefined, 'the kernel still has nodes of the first one')
  views.release(5, 1)
  t.equal(views.findSlot('second'), 5)
  t.equal(idOf(views), 'second')
  t.equal(idle(views), 0, 'it does not go on from what the first one had accumulated')

  const next = open()
  writeFileSync(
    join(run, 'containers/third.json'),
    readFileSync(join(run, 'containers/second.json'), 'utf8').replaceAll('second', 'third'),
  )
  t.equal(next.findSlot('third'), undefined, 'a registration that was put there has no slot')
  t.equal(next.findSlot('second'), 5)
  t.equal(idOf(next), 'second')
})

t.test('the next server knows the cgroup that was there, and another one beside it', async t => {
  const mountPoint = 'sys/fs/cgroup'
  const limit = (path: string, mib: number) => ({
    [`${mountPoint}${path}/memory.max`]: `${mib * 2 ** 20}\n`,
    [`${mountPoint}${path}/memory.current`]: '4096\n',
  })
  const host = machine(t, {
    ...SAMPLE_HOST,
    'proc/self/mountinfo': `30 20 0:30 / /${mountPoint} rw - cgroup2 cgroup2 rw\n`,
    [`${mountPoint}/cgroup.controllers`]: 'memory\n',
    ...limit('/one', 1),
    ...limit('/two', 2),
  })
  const run = join(host.directory, 'run')
  mkdirSync(run)
  const registry = new Registry(run)
  for (const [i, id] of ['one', 'two'].entries()) {
    const container = { id, pid: 4242, startTicks: 1, slot: i + 1, cgroups: { '': `/${id}` } }
    registry.register({ ...container, rootfs: '/', rootMount: 1, options: {} })
  }
  const map = numberMap()
  const limits = () => {
    const views = new Views({
      ...{ host, registry, records: recordsIn(run, map), defaults: DEFAULT_OPTIONS },
      ...{ report: () => {}, isOpen: () => false },
    })
    return [1, 2].map(slot => views.ofSlot(slot)?.memory()?.limitBytes)
  }
  t.strictSame(limits(), [2 ** 20, 2 ** 21])
  const one = join(host.directory, mountPoint, 'one')
  renameSync(one, join(host.directory, 'removed'))
  host.set(limit('/one', 4))
  t.strictSame(limits(), [2 ** 20, 2 ** 21], "what was last known, and not the other one's")
})

t.test('loads are sampled in slices, and each container has its turn', async t => {
  const host = machine(t, {
    ...SAMPLE_HOST,
    'proc/self/mountinfo': '30 20 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n',
    'sys/fs/cgroup/cgroup.controllers': 'cpu\n',
  })
  const run = join(host.directory, 'run')
  mkdirSync(run)
  const registry = new Registry(run)
  // The first container has 2000 threads, and the others one each.
  const tids = (slot: number) =>
    Array.from({ length: slot === 1 ? 2000 : 1 }, (_, i) => slot * 10_000 + i)
  for (let slot = 1; slot <= 20; slot++) {
    const cgroups = { '': `/c${slot}` }
    const container = { id: `c${slot}`, pid: 4242, startTicks: 1, slot, cgroups }
    registry.register({ ...container, rootfs: '/', rootMount: 1, options: {} })
    host.set({ [`sys/fs/cgroup/c${slot}/cgroup.threads`]: tids(slot).join('\n') })
  }
  const tryRead = host.tryRead.bind(host)
  host.tryRead = (path: string, mostBytes?: number) => {
    if (!/^proc\/\d{5,}\/stat$/.test(path)) return tryRead(path, mostBytes)
    host.clock.usec += 30
    return '1 (x) R 1\n'
  }
  const views = new Views({
    host,
    registry,
    defaults: DEFAULT_OPTIONS,
    records: recordsIn(run),
    report: () => {},
    isOpen: () => false,
  })
  const load = (slot: number) => {
    const view = views.ofSlot(slot)
    const seen = view?.load()
    views.keep(view)
    return seen
  }
  for (let slot = 1; slot <= 20; slot++) load(slot)
  host.clock.advance(10)
  const startUsec = host.clock.usec
  let worked = 0
  let longest = 0
  for (let ticks = 0; ticks < 100; ticks++) {
    const beforeUsec = host.clock.usec
    const dueUsec = views.tick() ?? 0
    const took = host.clock.usec - beforeUsec
    worked += took
    longest = Math.max(longest, took)
    // Readers do not hurry it.
    load(1)
    t.equal(views.tick(), dueUsec)
    if (ticks === 1) t.same(load(20)?.loads[0] !== 0, true, 'the second slice is for the others')
    if (dueUsec > startUsec + 1e6) break
    host.clock.usec = Math.max(host.clock.usec, dueUsec)
  }
  t.equal(load(1)?.running, 2000)
  t.ok(load(1)?.loads[0])
  t.ok(longest <= 2100, `a slice took ${longest} us`)
  const part = worked / (host.clock.usec - startUsec)
  t.ok(part < 0.22, `${part} of the time`)
})

t.test('who looks for a view at which a server failed gets none for a while', async t => {
  const host = machine(t, {
    ...SAMPLE_HOST,
    'proc/self/mountinfo': '',
    'proc/500/cgroup': '0::/user.slice/a\n',
    'proc/501/cgroup': '0::/user.slice/b\n',
  })
  const run = join(host.directory, 'run')
  mkdirSync(run)
  const registry = new Registry(run)
  const box = { id: 'box', pid: 4242, startTicks: 1, slot: 5, cgroups: { '': '/box' } }
  registry.register({ ...box, rootfs: '/', rootMount: 1, options: {} })
  const cells = new Float64Array(QUARANTINE_CELLS)
  let read: string[] = []
  /** A server that ends where a file of this name is read. */
  const start = (fatal: string) => {
    const quarantine = new Quarantine(cells, host.clock)
    quarantine.blame(host.clock.usec)
    const records = recordsIn(run)
    const views = new Views({
      ...{ host, registry, records, defaults: DEFAULT_OPTIONS, report: () => {} },
      isOpen: () => false,
      guard: {
        begin: number => quarantine.begin(lookupKey(number)),
        end: () => {
          if (!read.includes(fatal)) quarantine.end()
        },
      },
    })
    const look = (path: string) => {
      read.push(path)
      if (path === fatal) throw new RangeError('the server ends')
    }
    host.tryRead = path => {
      look(path)
      return Machine.prototype.tryRead.call(host, path)
    }
    const of = records.of.bind(records)
    records.of = (slot, id) => {
      look(`state of ${slot}`)
      return of(slot, id)
    }
    read = []
    return views
  }

  t.throws(() => start('proc/500/status').ofCaller(500), RangeError)
  const second = start('state of 5')
  t.equal(second.ofCaller(500), undefined)
  t.strictSame(read, ['proc/500/cgroup'])
  t.ok(second.ofCaller(501), 'another one has its view')
  t.throws(() => second.ofSlot(5), RangeError)
  const third = start('')
  t.strictSame([third.ofCaller(500), third.ofSlot(5)], [undefined, undefined])
  host.clock.advance(300)
  t.ok(third.ofCaller(500))
  t.ok(third.ofSlot(5))
  t.strictSame([...cells.subarray(0, 1)], [0], 'nothing is begun and not ended')
})
