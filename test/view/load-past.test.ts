/** What a container's load averages are after nobody has read them for a while. */

import t, { type Test } from 'tap'
import { Group } from '../../src/cgroup/group.ts'
import { CpuUsageV2 } from '../../src/cgroup/v2/cpu.ts'
import { OwnNumbers } from '../../src/proc/kept.ts'
import { renderLoad } from '../../src/proc/loadavg.ts'
import { LoadSampler } from '../../src/view/load-sampler.ts'
import { machine } from '../machines/machine.ts'

const CTR = 'sys/fs/cgroup/ctr'
const HOUR = 3600

/** A container whose threads are busy, or wait for a device or a CPU, on a machine whose kernel counts that. */
function container(t: Test) {
  const host = machine(t, {})
  const group = new Group(host, { version: 2, mountPoint: 'sys/fs/cgroup' }, '/ctr')
  const cgroup = {
    tasks: group,
    freezer: undefined,
    unified: group,
    cpuUsage: new CpuUsageV2(group),
  }
  const spent = { cpu: 0, io: 0, wait: 0 }
  let age = 0
  let busy = 0
  let written: number | undefined
  const pass = (seconds: number, threads: number, stalls = { io: 0, wait: 0 }) => {
    busy = threads
    age += seconds
    spent.cpu += seconds * threads
    spent.io += seconds * stalls.io
    spent.wait += seconds * stalls.wait
    host.clock.advance(seconds)
  }
  const write = () => {
    const usec = (seconds: number) => Math.round(seconds * 1e6)
    const pressure = (seconds: number) =>
      `some avg10=0.00 avg60=0.00 avg300=0.00 total=${usec(seconds)}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`
    host.set({
      [`${CTR}/cpu.stat`]: `usage_usec 0\nuser_usec ${usec(spent.cpu)}\nsystem_usec 0\n`,
      [`${CTR}/io.pressure`]: pressure(spent.io),
      [`${CTR}/cpu.pressure`]: pressure(spent.wait),
      [`${CTR}/cgroup.threads`]: Array.from({ length: 5 }, (_, i) => `${100 + i}\n`).join(''),
    })
    if (busy === written) return
    written = busy
    for (let i = 0; i < 5; i++) {
      host.set({ [`proc/${100 + i}/stat`]: `${100 + i} (x) ${i < busy ? 'R' : 'S'} 1 2\n` })
    }
  }
  const open = (kept = new OwnNumbers()) => {
    const sampler = new LoadSampler(
      host,
      () => cgroup,
      kept,
      () => age * 1e6,
    )
    return {
      read() {
        write()
        const load = sampler.load()
        return load === undefined ? '' : renderLoad(load).split(' ', 3).join(' ')
      },
      tick() {
        write()
        return sampler.tick()
      },
    }
  }
  return { host, pass, open }
}

t.test(
  'a container that was busy with two threads while nobody read has a load of two',
  async t => {
    const { pass, open } = container(t)
    const load = open()
    t.equal(load.read(), '0.00 0.00 0.00')
    pass(2 * HOUR, 2)
    t.equal(load.read(), '2.00 2.00 2.00')
  },
)

t.test(
  'one that was busy in the first half alone has half of it, and one that is busy now no more',
  async t => {
    const first = container(t)
    const idle = first.open()
    idle.read()
    first.pass(HOUR, 2)
    first.pass(HOUR, 0)
    t.equal(idle.read(), '0.92 0.98 0.99', 'a step of the present')
    const second = container(t)
    const busy = second.open()
    busy.read()
    second.pass(2 * HOUR, 0)
    second.pass(0.001, 2)
    t.equal(busy.read(), '0.16 0.03 0.01', 'all of it was the present')
  },
)

t.test('an hour of nothing after a burst leaves nothing', async t => {
  const { pass, open } = container(t)
  const load = open()
  load.read()
  pass(600, 4)
  t.match(load.read(), /^4\.00 3\.4/)
  pass(HOUR, 0)
  t.match(load.read(), /^0\.00 0\.00 0\.0[0-4]$/)
})

t.test('more CPU time than the machine has is none', async t => {
  const { host, pass, open } = container(t)
  host.set({ 'sys/devices/system/cpu/online': '0-1\n' })
  const load = open()
  load.read()
  pass(HOUR, 100)
  pass(0.001, 0)
  t.equal(load.read(), '0.00 0.00 0.00', 'only the present is known')
})

t.test('who waits for a device or for a CPU counts', async t => {
  const { pass, open } = container(t)
  const load = open()
  load.read()
  pass(2 * HOUR, 1, { io: 0.5, wait: 0.25 })
  t.equal(load.read(), '1.69 1.74 1.75', 'a step of the one that runs now')
})

t.test('a container that is read for the first time has the load of its time', async t => {
  const { pass, open } = container(t)
  pass(HOUR, 2)
  t.equal(open().read(), '2.00 2.00 2.00', 'not that of the moment')
})

t.test(
  'who reads every 15 minutes sees nearly what one sees who reads every 5 seconds',
  async t => {
    for (const threads of [1, 4]) {
      const { pass, open } = container(t)
      const often = open()
      const seldom = open()
      often.read()
      seldom.read()
      for (let quarter = 0; quarter < 2; quarter++) {
        for (let i = 0; i < 180; i++) {
          pass(5, threads)
          often.read()
        }
        const numbers = [often, seldom].map(load => load.read().split(' ').map(Number))
        const [one = [], other = []] = numbers
        t.ok(
          one.every((load, i) => Math.abs(load - (other[i] ?? -1)) <= 0.02),
          `${one} and ${other}`,
        )
      }
    }
  },
)

t.test('the next server goes on from what was spent, and from records without it', async t => {
  const { host, pass, open } = container(t)
  const kept = new OwnNumbers()
  open(kept).read()
  t.equal(kept.count, 16)
  pass(2 * HOUR, 2)
  pass(0.001, 0)
  t.equal(open(kept).read(), '1.84 1.97 1.99')
  const earlier = new OwnNumbers()
  const numbers = new Float64Array(16)
  kept.load(numbers)
  earlier.store(numbers, 12)
  pass(2 * HOUR, 2)
  pass(0.001, 0)
  const load = open(earlier)
  t.equal(load.read(), '0.00 0.00 0.00', 'the present is all that is known')
  pass(2 * HOUR, 2)
  t.equal(load.read(), '2.00 2.00 2.00', 'and then no more')
  numbers[12] = host.clock.usec + 1
  earlier.store(numbers, 16)
  t.equal(open(earlier).read().split(' ')[0], '2.00', 'a record of another boot is none')
})

t.test('a counter that falls tells nothing, and nobody is asked while nobody reads', async t => {
  const { pass, open } = container(t)
  pass(HOUR, 4)
  const load = open()
  load.read()
  pass(HOUR, -1)
  pass(0.001, 1)
  t.equal(load.read(), '1.00 1.00 1.02', 'what runs now is all that is known')
  pass(700, 1)
  t.equal(load.tick(), undefined)
})
