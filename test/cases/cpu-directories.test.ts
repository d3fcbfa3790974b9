/** What a container sees of /sys/devices/system/cpu on a machine with 2 cores of 2 threads each, with the CPUs 1 and 3. */

import t, { type Test } from 'tap'
import { Sysfs } from '../../src/filesystem/sysfs.ts'
import { KeptEntries } from '../../src/host/kept-entries.ts'
import type { Options } from '../../src/proc/options.ts'
import { type Tenant, unified } from './tenant.ts'

const CPU = 'sys/devices/system/cpu'

/** The threads of core 0 are the CPUs 0 and 2, as firmware likes to number them. */
function filesOf(cpu: number): Record<string, string> {
  const core = cpu % 2
  const [threads, mask] = core === 0 ? ['0,2', '5'] : ['1,3', 'a']
  const topology = {
    ...{ physical_package_id: 0, die_id: 0, core_id: core, cluster_id: -1 },
    ...{ thread_siblings_list: threads, thread_siblings: mask },
    ...{ core_cpus_list: threads, core_cpus: mask, package_cpus_list: '0-3', package_cpus: 'f' },
    ...{ core_siblings_list: '0-3', core_siblings: 'f', die_cpus_list: '0-3', die_cpus: 'f' },
  }
  const files = {
    ...Object.fromEntries(
      Object.entries(topology).map(([name, text]) => [`topology/${name}`, text]),
    ),
    'cache/index0/shared_cpu_list': threads,
    'cache/index0/shared_cpu_map': mask,
    'cache/index3/shared_cpu_list': '0-3',
    'cache/index0/size': `${32 + cpu}K`,
    'thermal_throttle/core_throttle_count': '3',
    ...(cpu === 0 ? {} : { online: '1' }),
  }
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [`${CPU}/cpu${cpu}/${name}`, `${text}`]),
  )
}

interface Seen {
  tenant: Tenant
  names: (directory?: string) => string[]
  read: (path: string) => string | number | undefined
}

function seen(t: Test, options: Partial<Options> = {}, max = 'max 100000'): Seen {
  const tenant = unified(
    t,
    {
      ...Object.assign({}, ...[0, 1, 2, 3].map(filesOf)),
      [`${CPU}/online`]: '0-3',
      [`${CPU}/present`]: '0-3',
      [`${CPU}/possible`]: '0-7',
      [`${CPU}/kernel_max`]: '8191',
      [`${CPU}/isolated`]: '2-3',
      [`${CPU}/smt/active`]: '1',
      [`${CPU}/smt/control`]: 'on',
      [`${CPU}/vulnerabilities/l1tf`]: 'Not affected',
      '/ctr/cpuset.cpus.effective': '1,3',
      '/ctr/cpu.max': max,
    },
    { options },
  )
  for (const cpu of [0, 1, 2, 3]) {
    tenant.machine.link({ [`${CPU}/cpu${cpu}/node0`]: '../../node/node0' })
  }
  const sysfs = new Sysfs({
    entries: new KeptEntries(tenant.machine),
    guard: { begin: () => true, end: () => {} },
    failed: (path, cause) => {
      throw new Error(`Cannot show ${path}`, { cause })
    },
  })
  const at = (path: string) => (path === '' ? CPU : `${CPU}/${path}`)
  return {
    tenant,
    names: (directory = '') => sysfs.list(at(directory), tenant.view).map(({ name }) => name),
    read: path => {
      const text = sysfs.read(at(path), tenant.view)
      return typeof text === 'object' ? text.toString().trimEnd() : text
    },
  }
}

const cpus = ({ names }: Seen) => names().filter(name => /^cpu\d/.test(name))

t.test('there are as many directories as online says', async t => {
  const box = seen(t)
  t.strictSame(cpus(box), ['cpu0', 'cpu1'])
  t.equal(box.tenant.read('online'), '0-1\n')
  t.equal(box.tenant.read('present'), '0-1\n')
  t.equal(box.tenant.read('possible'), '0-7\n', 'programs size arrays by it')
  t.equal(box.read('cpu1/cache/index0/size'), '35K', 'cpu1 is the CPU 3 of the host')
  t.equal(box.read('cpu2/cache/index0/size'), undefined)
  t.strictSame(box.names('cpu0'), ['cache', 'node0', 'online', 'topology'])
})

t.test('with the limit the directories come and go', async t => {
  const box = seen(t)
  box.tenant.set({ '/ctr/cpu.max': '50000 100000' })
  box.tenant.advance(2)
  t.strictSame(cpus(box), ['cpu0'])
  box.tenant.set({ '/ctr/cpuset.cpus.effective': '0-3', '/ctr/cpu.max': 'max 100000' })
  box.tenant.advance(2)
  t.strictSame(cpus(box), ['cpu0', 'cpu1', 'cpu2', 'cpu3'])
})

t.test('a CPU that the host takes away is gone', async t => {
  const box = seen(t)
  box.tenant.set({ [`${CPU}/cpu3`]: undefined, [`${CPU}/online`]: '0-2' })
  box.tenant.advance(2)
  t.strictSame(cpus(box), ['cpu0'])
  t.equal(box.read('cpu1/topology/core_id'), undefined)
})

t.test('each CPU is a socket, as cpuinfo says', async t => {
  const { read } = seen(t)
  for (const cpu of [0, 1]) {
    t.equal(read(`cpu${cpu}/topology/physical_package_id`), `${cpu}`)
    t.equal(read(`cpu${cpu}/topology/core_id`), '0')
    t.equal(read(`cpu${cpu}/topology/cluster_id`), '-1')
    for (const name of [
      'core_cpus',
      'thread_siblings',
      'package_cpus',
      'core_siblings',
      'die_cpus',
    ]) {
      t.equal(read(`cpu${cpu}/topology/${name}_list`), `${cpu}`, name)
      t.equal(read(`cpu${cpu}/topology/${name}`), `${1 << cpu}`, name)
    }
  }
  t.equal(read('smt/active'), '0')
  t.equal(read('smt/control'), 'on')
})

t.test('two cores of a socket, or two threads of a core', async t => {
  const single = seen(t, { topology: 'single-socket' })
  t.equal(single.read('cpu1/topology/core_id'), '1')
  t.equal(single.read('cpu1/topology/package_cpus_list'), '0-1')
  t.equal(single.read('cpu1/topology/core_cpus_list'), '1')
  const real = seen(t, { topology: 'host' })
  t.equal(real.read('cpu1/topology/core_id'), '1')
  t.equal(real.read('cpu0/topology/core_id'), '1')
  t.equal(real.read('cpu1/topology/thread_siblings_list'), '0-1')
  t.equal(real.read('cpu1/topology/package_cpus'), '3')
  t.equal(real.read('smt/active'), '1')
})

t.test('caches are shared as on the host', async t => {
  const { read } = seen(t)
  t.equal(read('cpu0/cache/index0/shared_cpu_list'), '0-1')
  t.equal(read('cpu0/cache/index0/shared_cpu_map'), '3')
  t.equal(read('cpu0/cache/index3/shared_cpu_list'), '0-1')
})

t.test("the host's numbers, for who sets affinities by them", async t => {
  const box = seen(t, { cpuNumbering: 'real' })
  t.strictSame(cpus(box), ['cpu1', 'cpu3'])
  t.equal(box.tenant.read('online'), '1,3\n')
  t.equal(box.tenant.read('present'), '1,3\n')
  t.equal(box.read('cpu3/topology/physical_package_id'), '1')
  t.equal(box.read('cpu3/topology/core_cpus'), '8')
  t.equal(box.read('cpu3/cache/index0/shared_cpu_list'), '1,3')
  t.equal(box.read('isolated'), '3')
})

t.test('all else is the host’s', async t => {
  const box = seen(t)
  t.equal(box.read('kernel_max'), '8191')
  t.equal(box.read('vulnerabilities/l1tf'), 'Not affected')
  t.equal(box.read('isolated'), '1')
  t.equal(box.read('cpu0/thermal_throttle/core_throttle_count'), undefined)
  t.equal(box.read('vulnerabilities'), undefined, 'a directory is no file')
})

t.test('a text is a second old at most, and links lead nowhere', async t => {
  const box = seen(t)
  t.equal(box.read('smt/control'), 'on')
  box.tenant.set({ [`${CPU}/smt/control`]: 'off' })
  t.equal(box.read('smt/control'), 'on')
  box.tenant.advance(1)
  t.equal(box.read('smt/control'), 'off')
  box.tenant.set({ 'elsewhere/secret': 'x' })
  box.tenant.machine.link({
    [`${CPU}/way`]: '../../../../elsewhere',
    [`${CPU}/smt/secret`]: '../../../../elsewhere/secret',
  })
  box.tenant.advance(1)
  t.equal(box.read('way/secret'), undefined)
  t.equal(box.read('smt/secret'), undefined)
  t.strictSame(box.names('way'), [])
})
