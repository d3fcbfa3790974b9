/** What a container sees of the host's nodes: /sys/devices/system/node. */

import t, { type Test } from 'tap'
import { NODE_DIRECTORY } from '../../src/proc/sysfs/node.ts'
import { numbers, SAMPLE_MEMORY_STAT } from '../machines/sample-host.ts'
import {
  NODES,
  NUMASTAT,
  nodeMeminfo,
  nodeVmstat,
  ONE_NODE,
  TWO_NODES,
} from '../machines/two-nodes.ts'
import { type Files, legacy, type Setting, type Tenant, unified } from './tenant.ts'

const USED = {
  '/ctr/memory.current': 314572800,
  '/ctr/memory.stat': SAMPLE_MEMORY_STAT,
  '/ctr/memory.max': 1073741824,
}

const ON_SECOND = { '/ctr/cpuset.cpus.effective': '4-5', '/ctr/cpuset.mems.effective': '1' }

const on = (t: Test, files: Files, setting: Setting = {}) =>
  unified(t, { ...TWO_NODES, ...USED, ...files }, setting)

/** What the container reads. */
function read(tenant: Tenant, path: string): string {
  const host = tenant.machine.read(`${NODES}/${path}`)
  return NODE_DIRECTORY.findRender(path)?.(host, tenant.view) ?? host
}

const names = (tenant: Tenant, within: string, host: string[]) =>
  NODE_DIRECTORY.shownNames(within, host, tenant.view)

/** Lines of a node's meminfo by key. */
const amounts = (text: string) => numbers(text.replace(/^Node \d+ /gm, ''))

const counts = (text: string) =>
  Object.fromEntries(
    text
      .trimEnd()
      .split('\n')
      .map(line => line.split(' '))
      .map(([key, n]) => [key, Number(n)]),
  )

t.test('a container sees the nodes that it may allocate on, by their numbers', async t => {
  const tenant = on(t, ON_SECOND)
  t.strictSame(tenant.view.nodes(), [1])
  t.strictSame(names(tenant, '', ['has_cpu', 'node0', 'node1', 'online']), [
    'has_cpu',
    'node1',
    'online',
  ])
  for (const list of ['online', 'has_cpu', 'has_memory', 'has_normal_memory']) {
    t.equal(read(tenant, list), '1\n', list)
  }
  t.equal(read(tenant, 'possible'), '0-7\n')
  t.equal(NODE_DIRECTORY.hostName('', 'node0', tenant.view), undefined)
  t.equal(NODE_DIRECTORY.hostName('', 'node1', tenant.view), 'node1')
  t.equal(read(tenant, 'node1/distance'), '10\n')
})

t.test('so it does on cgroup v1', async t => {
  const files = { '/ctr/cpuset.effective_cpus': '4-5', '/ctr/cpuset.effective_mems': '1' }
  t.strictSame(legacy(t, { ...TWO_NODES, ...files }).view.nodes(), [1])
  t.strictSame(legacy(t, { ...TWO_NODES, '/ctr/cpuset.mems': '0' }).view.nodes(), [0])
})

t.test("without a choice of nodes, or with a stale one, they are the host's", async t => {
  for (const mems of [undefined, '0-1', '', '5', 'x']) {
    const tenant = on(t, {
      '/ctr/cpuset.cpus.effective': '4-5',
      '/ctr/cpuset.mems.effective': mems,
    })
    t.equal(tenant.view.nodes(), undefined, String(mems))
    t.strictSame(names(tenant, '', ['node0', 'node1']), ['node0', 'node1'])
    t.equal(read(tenant, 'online'), '0-1\n')
    t.equal(read(tenant, 'node1/cpulist'), '4-7\n', 'numactl binds by these')
    t.equal(read(tenant, 'node1/meminfo'), nodeMeminfo(1))
  }
})

t.test('CPUs are the visible ones on the node, numbered as everywhere', async t => {
  const tenant = on(t, ON_SECOND)
  t.equal(read(tenant, 'node1/cpulist'), '0-1\n')
  t.equal(read(tenant, 'node1/cpumap'), '03\n')
  t.strictSame(names(tenant, 'node1', ['cpu4', 'cpu5', 'cpu6', 'distance']), [
    'cpu0',
    'cpu1',
    'distance',
  ])
  t.equal(NODE_DIRECTORY.hostName('node1', 'cpu1', tenant.view), 'cpu5')
  t.equal(NODE_DIRECTORY.hostName('node1', 'cpu2', tenant.view), undefined)
  t.equal(NODE_DIRECTORY.renderLink?.('node1/cpu1', '../../cpu/cpu5'), '../../cpu/cpu1')
  t.equal(
    NODE_DIRECTORY.renderLink?.('node1/subsystem', '../../../../bus/node'),
    '../../../../bus/node',
  )
  tenant.reopen({ cpuNumbering: 'real' })
  t.equal(read(tenant, 'node1/cpulist'), '4-5\n')
  t.equal(read(tenant, 'node1/cpumap'), '30\n')
})

t.test('a node without a visible CPU has memory alone', async t => {
  const tenant = on(t, { '/ctr/cpuset.cpus.effective': '0-1', '/ctr/cpuset.mems.effective': '1' })
  t.equal(read(tenant, 'has_memory'), '1\n')
  t.equal(read(tenant, 'has_cpu'), '\n')
  t.equal(read(tenant, 'node1/cpulist'), '\n')
  t.equal(read(tenant, 'node1/cpumap'), '00\n')
})

t.test('one allowed node has what free has', async t => {
  for (const tenant of [
    on(t, ON_SECOND),
    unified(t, { ...ONE_NODE, ...USED }),
    legacy(t, {
      ...{ ...ONE_NODE, '/ctr/memory.usage_in_bytes': 314572800 },
      '/ctr/memory.limit_in_bytes': 1073741824,
    }),
  ]) {
    const node = tenant.view.nodes()?.[0] ?? 0
    const meminfo = numbers(tenant.read('meminfo'))
    const text = read(tenant, `node${node}/meminfo`)
    const seen = amounts(text)
    for (const key of ['MemTotal', 'MemFree', 'Active', 'Shmem', 'Slab', 'Mlocked', 'AnonPages']) {
      t.equal(seen[key], meminfo[key], key)
    }
    t.equal(seen.FilePages, (meminfo.Cached ?? 0) + (meminfo.SwapCached ?? 0))
    t.equal(seen.MemUsed, (meminfo.MemTotal ?? 0) - (meminfo.MemFree ?? 0))
    t.equal(seen.HugePages_Total, 4, "the host's, as all others without a unit")
    t.match(text, new RegExp(`^Node ${node} MemTotal: {8}1048576 kB$`, 'm'))
    t.equal(text.split('\n').length, nodeMeminfo(0).split('\n').length)
    const vmstat = counts(tenant.read('vmstat'))
    for (const [key, count] of Object.entries(counts(read(tenant, `node${node}/vmstat`)))) {
      t.equal(count, key.startsWith('numa_') ? counts(nodeVmstat)[key] : vmstat[key], key)
    }
  }
})

t.test('a limit above what the node has shows what it has', async t => {
  const tenant = on(t, { ...ON_SECOND, '/ctr/memory.max': 12 * 2 ** 30 })
  t.match(amounts(read(tenant, 'node1/meminfo')), { MemTotal: 8192000, MemFree: 8192000 })
})

/** Three nodes, of which two are allowed. */
const THREE = {
  ...{ [`${NODES}/online`]: '0-2\n', [`${NODES}/node0/distance`]: '10 21 31\n' },
  [`${NODES}/node2/cpulist`]: '\n',
}
const NUMA_STAT = `\
anon N0=104857600 N1=0 N2=7
file N0=52428800 N1=104857600 N2=0
kernel_stack N0=1048576 N1=0 N2=0
shmem N0=0 N1=10485760 N2=0
swapcached N0=0 N1=0 N2=0
active_anon N0=25165824 N1=0 N2=0
inactive_anon N0=79691776 N1=0 N2=0
slab_reclaimable N0=0 N1=20971520 N2=0
workingset_refault_file N0=0 N1=13 N2=0
`

t.test('on several allowed nodes memory is what is counted there', async t => {
  const files = {
    ...THREE,
    '/ctr/cpuset.cpus.effective': '0-1,4',
    '/ctr/cpuset.mems.effective': '0-1',
  }
  const tenant = on(t, { ...files, '/ctr/memory.numa_stat': NUMA_STAT })
  t.equal(read(tenant, 'online'), '0-1\n')
  t.equal(read(tenant, 'node0/distance'), '10 21\n', 'in the order of the nodes that are seen')
  t.equal(read(tenant, 'node0/cpulist'), '0-1\n')
  t.equal(read(tenant, 'node1/cpulist'), '2\n')
  const [first, second] = [0, 1].map(node => amounts(read(tenant, `node${node}/meminfo`)))
  const { MemFree: free = 0 } = numbers(tenant.read('meminfo'))
  t.match(first, { MemTotal: 1048576, AnonPages: 102400, FilePages: 51200, KernelStack: 1024 })
  t.match(first, { Active: 24576, Inactive: 77824, Shmem: 0, Mlocked: 0, Slab: 0 })
  t.match(second, { MemTotal: 1048576, AnonPages: 0, FilePages: 102400, Shmem: 10240, Slab: 20480 })
  t.equal(first?.MemFree, free, 'no more than is left of the limit')
  t.equal(first?.MemUsed, 1048576 - free)
  t.match(counts(read(tenant, 'node1/vmstat')), {
    nr_anon_pages: 0,
    nr_file_pages: 25600,
    workingset_refault_file: 13,
    numa_hit: 587806350,
    nr_dirtied: 0,
  })
  t.equal(read(tenant, 'node1/numastat'), NUMASTAT)
})

t.test('v1 counts pages by node', async t => {
  const tenant = legacy(t, {
    ...{ ...TWO_NODES, ...THREE, '/ctr/cpuset.effective_mems': '0-1' },
    ...{ '/ctr/memory.usage_in_bytes': 314572800, '/ctr/memory.limit_in_bytes': 1073741824 },
    '/ctr/memory.numa_stat':
      'anon=9 N0=9 N1=0\nhierarchical_total=1280 N0=256 N1=1024\nhierarchical_file=1024 N0=0 N1=1024\nhierarchical_anon=256 N0=256 N1=0\n',
  })
  t.match(amounts(read(tenant, 'node0/meminfo')), { AnonPages: 1024, FilePages: 0 })
  t.match(amounts(read(tenant, 'node1/meminfo')), { AnonPages: 0, FilePages: 4096 })
})

t.test('a process of no memory cgroup sees the memory of the nodes', async t => {
  const tenant = unified(t, { ...TWO_NODES, ...ON_SECOND }, { controllers: ['cpu', 'cpuset'] })
  t.equal(read(tenant, 'online'), '1\n')
  t.equal(read(tenant, 'node1/meminfo'), nodeMeminfo(1))
  t.equal(read(tenant, 'node1/vmstat'), nodeVmstat)
})

t.test('damaged lists stay as they are', async t => {
  const tenant = on(t, {
    ...ON_SECOND,
    [`${NODES}/has_memory`]: 'x',
    [`${NODES}/node1/distance`]: '10',
  })
  t.equal(read(tenant, 'has_memory'), 'x\n')
  t.equal(read(tenant, 'node1/distance'), '10\n')
})
