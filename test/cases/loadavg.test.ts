/** A container's load averages, sampled every 5 seconds by the kernel's arithmetic. */

import t, { type Test } from 'tap'
import { SAMPLE_HOST } from '../machines/sample-host.ts'
import { type Files, hybrid, legacy, type Setting, type Tenant, unified } from './tenant.ts'

/** Threads 101, 102, ... with a letter for the state of each, listed in `list`. */
const threads = (states: string, list = '/ctr/cgroup.threads', first = 101): Files => ({
  [list]: [...states].map((_, i) => `${first + i}\n`).join(''),
  ...Object.fromEntries(
    [...states].map((state, i) => [
      `proc/${first + i}/stat`,
      `${first + i} (D) R) ${state} 1 ${first} ${first} 0 -1`,
    ]),
  ),
})

const open = (t: Test, states: string, files: Files = {}, setting?: Setting) =>
  unified(t, { ...threads(states), ...files }, setting)

/** The three averages; the server's clock has come by every 5 seconds. */
function averages(tenant: Tenant, samples = 0): string {
  tenant.view.load()
  for (let i = 0; i < samples; i++) {
    tenant.advance(5)
    tenant.view.tick()
  }
  return tenant.read('loadavg').split(' ', 3).join(' ')
}

t.test('two threads that run load as on a machine of their own', async t => {
  const tenant = open(t, 'RRS')
  t.equal(averages(tenant), '0.00 0.00 0.00')
  t.equal(averages(tenant, 1), '0.16 0.03 0.01')
  t.equal(averages(tenant, 1), '0.31 0.07 0.02')
  t.equal(averages(tenant, 10), '1.27 0.37 0.13')
  tenant.set(threads('SSS'))
  t.equal(averages(tenant, 12), '0.46 0.30 0.12')
})

t.test('blocked threads load but do not run', async t => {
  const tenant = open(t, 'DDD')
  t.equal(averages(tenant, 1), '0.24 0.05 0.02')
  t.equal(tenant.read('loadavg'), '0.24 0.05 0.02 1/3 1\n')
  t.same(tenant.lines('stat', 'procs_running', 'procs_blocked'), [
    'procs_running 1',
    'procs_blocked 3',
  ])
})

t.test('idle kernel threads and stopped ones do not load', async t => {
  t.equal(averages(open(t, 'IITtZ'), 12), '0.00 0.00 0.00')
})

t.test('threads in cgroups below count at any depth', async t => {
  const tenant = open(t, 'S', threads('R', '/ctr/a/b/c/d/e/cgroup.threads', 201))
  t.equal(averages(tenant, 1), '0.08 0.02 0.01')
  t.equal(tenant.read('loadavg'), '0.08 0.02 0.01 1/2 1\n')
})

t.test('v1 lists threads in tasks', async t => {
  const tenant = legacy(t, {
    ...threads('RR', '/ctr/tasks'),
    ...threads('RD', '/ctr/x/tasks', 201),
  })
  averages(tenant, 1)
  t.match(tenant.read('loadavg'), / 3\/4 1\n$/)
})

t.test('any v1 hierarchy will do, and a hybrid host may have only the unified one', async t => {
  const list = 'sys/fs/cgroup/memory/ctr/tasks'
  const memory = legacy(t, threads('RR', list), { controllers: ['memory'] })
  t.match(memory.read('loadavg'), / 2\/2 1\n$/)
  const none = hybrid(t, threads('RR'), { controllers: ['blkio'] })
  t.match(none.read('loadavg'), / 2\/2 1\n$/)
})

t.test('the last pid is the newest one of the container, not of the host', async t => {
  const tenant = open(t, 'RSS', {
    'proc/101/status': 'Name:\tx\nNSpid:\t101\t1\n',
    'proc/102/status': 'Name:\tx\nNSpid:\t102\t40\t17\n',
    'proc/103/status': 'Name:\tx\nNSpid:\t103\t12\n',
  })
  t.equal(tenant.read('loadavg'), '0.00 0.00 0.00 1/3 17\n')
  tenant.set({ ...threads('R'), 'proc/102': undefined, 'proc/103': undefined })
  averages(tenant, 1)
  t.match(tenant.read('loadavg'), / 1\/1 17\n$/, 'it stays the newest')
})

t.test('threads that end meanwhile are passed over', async t => {
  const tenant = open(t, 'RR', { '/ctr/cgroup.threads': '101\n102\n103\n104\n' })
  t.match(tenant.read('loadavg'), / 2\/2 1\n$/)
})

t.test('frozen threads do not load', async t => {
  const v2 = open(t, 'RR', { '/ctr/cgroup.events': 'populated 1\nfrozen 1\n' })
  t.equal(averages(v2, 12), '0.00 0.00 0.00')
  v2.set({ '/ctr/cgroup.events': 'populated 1\nfrozen 0\n' })
  t.equal(averages(v2, 1), '0.16 0.03 0.01')
  const v1 = legacy(t, { ...threads('DD', '/ctr/tasks'), '/ctr/freezer.state': 'FROZEN' })
  t.equal(averages(v1, 12), '0.00 0.00 0.00')
  v1.set({ '/ctr/freezer.state': 'THAWED' })
  t.equal(averages(v1, 1), '0.16 0.03 0.01')
})

t.test('threads of a frozen cgroup of v1 below do not load, whatever state they show', async t => {
  const tenant = legacy(t, {
    ...threads('DDRRS', '/ctr/tasks'),
    '/ctr/freezer.state': 'THAWED',
    '/ctr/box/freezer.state': 'FROZEN',
    'proc/101/cgroup': '2:freezer:/ctr\n',
    'proc/102/cgroup': '2:freezer:/ctr/box\n',
    'proc/103/cgroup': '2:freezer:/ctr\n',
    'proc/104/cgroup': '2:freezer:/ctr/box\n',
  })
  t.equal(averages(tenant, 1), '0.16 0.03 0.01')
  t.match(tenant.read('loadavg'), / 1\/5 1\n$/)
  t.same(tenant.lines('stat', 'procs_blocked'), ['procs_blocked 1'])
  tenant.set({ '/ctr/box/freezer.state': 'THAWED' })
  averages(tenant, 1)
  t.match(tenant.read('loadavg'), / 2\/5 1\n$/)
})

t.test('after a gap the averages stand where what runs now would have brought them', async t => {
  const tenant = open(t, 'RR')
  averages(tenant)
  tenant.advance(60)
  t.equal(tenant.read('loadavg').slice(0, 14), '1.27 0.37 0.13')
  tenant.advance(86_400)
  t.match(tenant.read('loadavg'), /^2\.00 /)
})

t.test('threads that cannot be listed for once leave the last count', async t => {
  const tenant = open(t, 'RR')
  averages(tenant, 1)
  tenant.set({ '/ctr/cgroup.threads': undefined })
  t.equal(averages(tenant, 1), '0.31 0.07 0.02')
})

t.test("a cgroup that cannot be read shows the host's file", async t => {
  t.equal(unified(t, {}).read('loadavg'), SAMPLE_HOST['proc/loadavg'])
  const outside = open(t, 'RR', {}, { path: '/' })
  t.equal(outside.read('loadavg'), SAMPLE_HOST['proc/loadavg'])
  t.same(outside.lines('stat', 'procs_running', 'procs_blocked'), [
    'procs_running 5',
    'procs_blocked 2',
  ])
})

t.test('an operator may show that of the host', async t => {
  const tenant = open(t, 'RR', {}, { options: { loadavg: 'off' } })
  t.equal(tenant.read('loadavg'), SAMPLE_HOST['proc/loadavg'])
})
