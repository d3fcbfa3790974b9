/** The files that a cgroup either has in the same format or has not at all. */

import t, { type Test } from 'tap'
import { FILES } from '../../src/proc/files.ts'
import { SAMPLE_SLABINFO } from '../machines/sample-host.ts'
import { type Files, hybrid, INIT, legacy, type Setting, unified } from './tenant.ts'

const text = (seconds: number) =>
  `some avg10=0.${seconds} avg60=0.01 avg300=0.00 total=${seconds}000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${seconds}\n`

const RESOURCES = ['cpu', 'io', 'memory'] as const
const HOST = Object.fromEntries(RESOURCES.map((name, i) => [`proc/pressure/${name}`, text(90 + i)]))
const OWN = Object.fromEntries(RESOURCES.map((name, i) => [`/ctr/${name}.pressure`, text(10 + i)]))

type Open = typeof unified

function pressure(t: Test, open: Open, files: Files, setting?: Setting): string[] {
  const tenant = open(t, { ...HOST, ...files }, setting)
  return RESOURCES.map(name => tenant.read(`pressure/${name}`))
}

const own = [text(10), text(11), text(12)]
const hosts = [text(90), text(91), text(92)]

t.test('pressure is that of the own cgroup, byte by byte', async t => {
  t.same(pressure(t, unified, OWN), own)
})

t.test('a cgroup that does not count pressure shows that of the host', async t => {
  t.same(pressure(t, unified, {}), hosts)
  t.same(pressure(t, unified, { '/ctr/io.pressure': text(11) }), [hosts[0], own[1], hosts[2]])
  t.same(pressure(t, legacy, {}), hosts, 'v1 knows none')
})

t.test('pressure that is counted from now on shows 100 ms later at most', async t => {
  const tenant = unified(t, HOST)
  t.equal(tenant.read('pressure/cpu'), text(90))
  tenant.set({ '/ctr/cpu.pressure': text(10) })
  tenant.advance(0.1)
  t.equal(tenant.read('pressure/cpu'), text(10))
})

t.test("a hybrid host has it in the unified hierarchy, whoever's the controllers are", async t => {
  t.same(pressure(t, hybrid, OWN), own)
})

t.test('a process in the root of the unified hierarchy has no pressure of its own', async t => {
  t.same(pressure(t, unified, OWN, { path: '/' }), hosts)
  const root = { 'sys/fs/cgroup/unified/cpu.pressure': text(55) }
  const cgroups = '3:memory:/ctr\n2:pids:/ctr\n0::/\n'
  t.same(pressure(t, hybrid, { ...OWN, ...root }, { cgroups }), hosts)
})

t.test(
  "where the runtime left the unified cgroup at its own, that is nobody's pressure",
  async t => {
    const daemon = '/system.slice/docker.service'
    const shared = Object.fromEntries(
      RESOURCES.map(name => [`${daemon}/${name}.pressure`, text(55)]),
    )
    const files = {
      ...shared,
      [`proc/${INIT}/cgroup`]: `3:memory:/ctr\n2:pids:/ctr\n0::${daemon}\n`,
      'proc/1/cgroup': `3:memory:${daemon}\n2:pids:${daemon}\n0::${daemon}\n`,
    }
    // As it is registered; the server looks again whether it has been placed since.
    t.same(pressure(t, hybrid, files, { cgroups: '3:memory:/ctr\n2:pids:/ctr\n0::/\n' }), hosts)
  },
)

t.test('interrupts have one line, and older kernels one for the CPU', async t => {
  const irq = 'full avg10=0.00 avg60=0.00 avg300=0.00 total=77\n'
  const some = 'some avg10=1.00 avg60=0.00 avg300=0.00 total=5\n'
  const tenant = unified(t, {
    ...HOST,
    'proc/pressure/irq': irq.replace('77', '99'),
    '/ctr/irq.pressure': irq,
    '/ctr/cpu.pressure': some,
  })
  t.equal(tenant.read('pressure/irq'), irq)
  t.equal(tenant.read('pressure/cpu'), some)
})

t.test('a host without pressure has none to show', async t => {
  const tenant = unified(t, {})
  t.throws(() => tenant.read('pressure/cpu'), { code: 'ENOENT' })
})

t.test('an operator may show the pressure of the host', async t => {
  t.same(pressure(t, unified, OWN, { options: { pressure: 'host' } }), hosts)
})

t.test('nobody may write to it, and slabinfo is for root', async t => {
  const modes = Object.fromEntries(FILES.map(({ path, mode }) => [path, mode.toString(8)]))
  for (const [path, mode] of Object.entries(modes)) {
    t.equal(mode, path === 'proc/slabinfo' ? '400' : '444', path)
  }
})

const HEADING = SAMPLE_SLABINFO.split('\n').slice(0, 2).join('\n')
const MEMORY = { '/ctr/memory.max': 1073741824, '/ctr/memory.current': 4096 }
const MEMORY_V1 = {
  '/ctr/memory.limit_in_bytes': 1073741824,
  '/ctr/memory.usage_in_bytes': 4096,
}

t.test('the unified hierarchy has no list of caches: two lines of heading are left', async t => {
  t.equal(unified(t, MEMORY).read('slabinfo'), `${HEADING}\n`)
})

t.test("v1's own list is shown where it has rows", async t => {
  const row = 'dentry 81 82 192 21 1 : tunables 0 0 0 : slabdata 4 4 0'
  const tenant = legacy(t, {
    ...MEMORY_V1,
    '/ctr/memory.kmem.slabinfo': `${HEADING}\n${row}\n`,
  })
  t.equal(tenant.read('slabinfo'), `${HEADING}\n${row}\n`)
  tenant.set({ '/ctr/memory.kmem.slabinfo': '' })
  t.equal(tenant.read('slabinfo'), `${HEADING}\n`, 'empty since Linux 5.9')
  tenant.set({ '/ctr/memory.kmem.slabinfo': HEADING })
  t.equal(tenant.read('slabinfo'), `${HEADING}\n`)
})

t.test("without a memory controller, or if an operator says so, it is the host's", async t => {
  t.equal(unified(t, {}, { controllers: ['cpu'] }).read('slabinfo'), SAMPLE_SLABINFO)
  t.equal(unified(t, MEMORY, { options: { slabinfo: 'host' } }).read('slabinfo'), SAMPLE_SLABINFO)
})
