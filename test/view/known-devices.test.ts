import t from 'tap'
import type { CollectedDevices } from '../../src/container/device-files.ts'
import type { Init } from '../../src/view/devices.ts'
import { KnownDevices } from '../../src/view/known-devices.ts'
import { TestClock } from '../machines/machine.ts'

const INIT = { pid: 42, startTicks: 900, rootMount: 5 }
const UNREGISTERED = { ...INIT, rootMount: undefined }
const node = (minor: number) => ({ name: `disk${minor}`, major: 8, minor, wholeDisk: undefined })

/** A container, and a worker that answers when the test says so. */
function setUp(init: Init = INIT) {
  const clock = new TestClock()
  const seen = {
    clock,
    asked: 0,
    /** Whether a worker can be asked. */
    listens: true,
    alive: true,
    file: undefined as CollectedDevices | undefined,
    version: 0,
    /** How often the file was read. */
    reads: 0,
    collect: (minor: number, isEarly = false) => {
      const collectedUsec = clock.monotonicUsec()
      seen.file = { nodes: [node(minor)], rootDisk: undefined, collectedUsec, isEarly }
      seen.version++
    },
  }
  const devices = new KnownDevices(
    {
      files: {
        find: () => {
          seen.reads++
          return seen.file
        },
        version: () => (seen.version === 0 ? undefined : `${seen.version}`),
      },
      clock,
      want: () => {
        if (seen.listens) seen.asked++
        return seen.listens
      },
      isAlive: () => seen.alive,
    },
    init,
  )
  return { devices, seen }
}

const minorOf = (devices: KnownDevices) => devices.read().nodes[0]?.minor

t.test('what the hook has found needs no worker', async t => {
  const { devices, seen } = setUp()
  seen.collect(1)
  t.notOk(devices.isAwaited())
  t.equal(minorOf(devices), 1)
  t.equal(seen.asked, 0)
})

t.test('what is 10 seconds old is looked for again, and awaited', async t => {
  const { devices, seen } = setUp()
  seen.collect(1)
  t.notOk(devices.isAwaited())
  seen.clock.advance(10)
  t.ok(devices.isAwaited())
  t.ok(devices.isAwaited())
  t.equal(seen.asked, 1, 'once')
  t.equal(minorOf(devices), 1, 'until then')
  seen.clock.advance(0.01)
  seen.collect(2)
  t.notOk(devices.isAwaited())
  t.equal(minorOf(devices), 2)
  seen.clock.advance(9)
  t.notOk(devices.isAwaited())
  t.equal(seen.asked, 1)
})

t.test('what was found before the container had its root is looked for again', async t => {
  const { devices, seen } = setUp()
  seen.collect(1, true)
  seen.clock.advance(0.01)
  t.ok(devices.isAwaited())
  seen.clock.advance(0.01)
  seen.collect(2)
  t.notOk(devices.isAwaited())
  t.equal(minorOf(devices), 2)
})

t.test('a worker that does not answer costs a short wait in 10 seconds', async t => {
  const { devices, seen } = setUp(UNREGISTERED)
  t.ok(devices.isAwaited())
  seen.clock.advance(0.14)
  t.ok(devices.isAwaited())
  seen.clock.advance(0.02)
  t.notOk(devices.isAwaited())
  t.strictSame(devices.read(), { nodes: [], rootDisk: undefined })
  seen.clock.advance(9.9)
  t.notOk(devices.isAwaited())
  seen.clock.advance(0.2)
  t.ok(devices.isAwaited())
  t.equal(seen.asked, 2)
})

t.test('a registered container of which nothing is known is waited for longer', async t => {
  const { devices, seen } = setUp()
  seen.listens = false
  t.ok(devices.isAwaited())
  seen.listens = true
  t.ok(devices.isAwaited())
  t.equal(seen.asked, 0)
  seen.clock.advance(0.02)
  t.ok(devices.isAwaited())
  t.equal(seen.asked, 1, 'by a keeper that listens a little later')
  seen.clock.advance(0.9)
  t.ok(devices.isAwaited())
  seen.collect(1)
  t.notOk(devices.isAwaited())
  t.equal(minorOf(devices), 1)
  const { devices: hanging, seen: hung } = setUp()
  t.ok(hanging.isAwaited())
  hung.clock.advance(1)
  t.notOk(hanging.isAwaited())
  hung.clock.advance(9.9)
  t.notOk(hanging.isAwaited())
  t.equal(hung.asked, 1)
})

t.test('nobody waits where no worker can be asked, nor for a container that has ended', async t => {
  for (const lack of [{ listens: false }, { alive: false }]) {
    const { devices, seen } = setUp(UNREGISTERED)
    Object.assign(seen, lack)
    t.notOk(devices.isAwaited())
    t.equal(seen.asked, 0)
  }
})

t.test('a file is read once, however often a request that is held asks', async t => {
  const { devices, seen } = setUp()
  seen.collect(1)
  seen.clock.advance(10)
  for (let asked = 0; asked < 50; asked++) t.ok(devices.isAwaited())
  t.equal(minorOf(devices), 1)
  t.equal(seen.reads, 1)
  seen.clock.advance(0.01)
  seen.collect(2)
  t.notOk(devices.isAwaited())
  t.equal(minorOf(devices), 2)
  t.equal(seen.reads, 2)
})

t.test('one that is damaged is read once, and leaves what was known', async t => {
  const { devices, seen } = setUp()
  seen.version++
  t.notOk(devices.read().nodes.length)
  t.notOk(devices.read().nodes.length)
  t.equal(seen.reads, 1)
  seen.collect(1)
  t.equal(minorOf(devices), 1)
  seen.file = undefined
  seen.version++
  seen.clock.advance(10)
  t.ok(devices.isAwaited())
  t.equal(minorOf(devices), 1)
})
