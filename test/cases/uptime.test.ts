/** How long a container has been up, and in its time namespace. */

import t from 'tap'
import { INIT, statOf, unified } from './tenant.ts'

const TWO_CPUS = {
  '/ctr/cpuset.cpus.effective': '0-1',
  '/ctr/cpu.stat': 'usage_usec 40000000\nuser_usec 30000000\nsystem_usec 10000000\n',
}
const seconds = (text: string) => text.trim().split(' ')

t.test('the seconds since the init was created are cut, not rounded', async t => {
  const tenant = unified(t, {}, { ageSeconds: 10_000 - 9862.58 })
  tenant.advance(0.004)
  t.equal(tenant.startTicks, 986258)
  t.match(tenant.read('uptime'), /^137\.42 \d+\.\d\d\n$/)
})

t.test('idle time is that of all CPUs, as in stat', async t => {
  const tenant = unified(t, TWO_CPUS)
  t.equal(tenant.read('uptime'), '100.00 160.00\n')
  t.match(tenant.read('stat'), /^cpu {2}3000 0 1000 16000 0 /)
  tenant.advance(0.25)
  t.equal(tenant.read('uptime'), '100.25 160.50\n')
})

t.test('an age under ten hundredths has two digits behind the point', async t => {
  t.match(unified(t, {}, { ageSeconds: 1.05 }).read('uptime'), /^1\.05 /)
})

t.test('a container that was created a moment ahead of the clock is 0 seconds old', async t => {
  const tenant = unified(t, TWO_CPUS, { ageSeconds: -0.01 })
  t.equal(tenant.read('uptime'), '0.00 0.00\n')
})

t.test('when the pid belongs to another process the age goes on', async t => {
  const tenant = unified(t, TWO_CPUS)
  tenant.read('uptime')
  tenant.advance(5)
  tenant.set({ [`proc/${INIT}/stat`]: statOf(tenant.startTicks + 10_300) })
  t.match(tenant.read('uptime'), /^105\.00 /)
})

t.test("a container in the host's pid namespace has its own age", async t => {
  const tenant = unified(t, {
    ...TWO_CPUS,
    [`proc/${INIT}/status`]: `Name:\tinit\nNSpid:\t${INIT}\n`,
  })
  t.equal(tenant.read('uptime'), '100.00 160.00\n')
})

t.test('an operator may show that of the host', async t => {
  const tenant = unified(t, TWO_CPUS, { options: { uptime: 'host' } })
  t.equal(tenant.read('uptime'), '10000.00 78000.00\n')
})

const offsets = (boottime: string) => ({
  [`proc/${INIT}/timens_offsets`]: `monotonic           7         0\nboottime   ${boottime}\n`,
})

t.test(
  "in a time namespace it is the namespace's uptime, which clock_gettime shows there",
  async t => {
    const tenant = unified(t, { ...TWO_CPUS, ...offsets('      3600 500000000') })
    t.equal(tenant.read('uptime'), '13600.50 160.00\n')
    const earlier = unified(t, { ...TWO_CPUS, ...offsets('     -9000         0') })
    t.equal(earlier.read('uptime'), '1000.00 160.00\n')
  },
)

t.test('in a time namespace the boot was earlier by as much', async t => {
  const tenant = unified(t, { ...TWO_CPUS, ...offsets('      3600         0') })
  t.same(tenant.lines('stat', 'btime'), ['btime 1795408792'])
})

t.test('a time namespace without an offset changes nothing', async t => {
  const tenant = unified(t, { ...TWO_CPUS, ...offsets('         0         0') })
  t.equal(tenant.read('uptime'), '100.00 160.00\n')
  t.same(tenant.lines('stat', 'btime'), ['btime 1795412392'])
})

const HOST_TIME = 'time:[4026531834]'
const NEW_TIME = 'time:[4026532500]'
const timeLinks = (own: string, forChildren: string) => ({
  [`proc/${INIT}/ns/time`]: own,
  [`proc/${INIT}/ns/time_for_children`]: forChildren,
})

t.test('a time namespace that only children of the init will be in changes nothing', async t => {
  const tenant = unified(t, { ...TWO_CPUS, ...offsets('      3600         0') })
  tenant.machine.link(timeLinks(HOST_TIME, NEW_TIME))
  t.equal(tenant.read('uptime'), '100.00 160.00\n')
  t.same(tenant.lines('stat', 'btime'), ['btime 1795412392'])
})

t.test('an init that enters the time namespace for its children is in it from then on', async t => {
  const tenant = unified(t, { ...TWO_CPUS, ...offsets('      3600         0') })
  tenant.machine.link(timeLinks(HOST_TIME, NEW_TIME))
  tenant.read('uptime')
  tenant.machine.link(timeLinks(NEW_TIME, NEW_TIME))
  t.equal(tenant.read('uptime'), '13600.00 160.00\n')
  t.same(tenant.lines('stat', 'btime'), ['btime 1795408792'])
})

t.test('an init in a time namespace stays in it when its children get another', async t => {
  const tenant = unified(t, { ...TWO_CPUS, ...offsets('      3600         0') })
  tenant.machine.link(timeLinks(NEW_TIME, NEW_TIME))
  tenant.read('uptime')
  tenant.machine.link(timeLinks(NEW_TIME, 'time:[4026532501]'))
  tenant.set(offsets('      7200         0'))
  t.equal(tenant.read('uptime'), '13600.00 160.00\n')
  t.same(tenant.lines('stat', 'btime'), ['btime 1795408792'])
})

t.test('idle time never passes the age of all CPUs, and never falls', async t => {
  const tenant = unified(t, TWO_CPUS)
  let before = 0
  for (const [userSeconds, max] of [
    [30, 'max 100000'],
    [31, '50000 100000'],
    [31, '150000 100000'],
    [0, 'max 100000'],
  ] as const) {
    tenant.set({
      '/ctr/cpu.max': max,
      '/ctr/cpu.stat': `user_usec ${userSeconds * 1e6}\nsystem_usec 10000000\n`,
    })
    const [age, idle] = seconds(tenant.read('uptime')).map(Number)
    t.ok(idle !== undefined && age !== undefined && idle >= before && idle <= 2 * age)
    before = idle ?? 0
    tenant.advance(3)
  }
})
