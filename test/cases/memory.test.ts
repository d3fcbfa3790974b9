/** What a container's /proc/meminfo says of its memory. */

import t from 'tap'
import {
  change,
  LIMITED_MEMINFO,
  numbers,
  SAMPLE_MEMINFO,
  SAMPLE_MEMORY_STAT,
} from '../machines/sample-host.ts'
import { type Files, legacy, type Tenant, unified } from './tenant.ts'

const GiB = 2 ** 30
const USED = { '/ctr/memory.current': 314572800, '/ctr/memory.stat': SAMPLE_MEMORY_STAT }
const read = (tenant: Tenant) => numbers(tenant.read('meminfo'))

/** What the host shows as `free` besides the container's own. */
const UNLIMITED = { MemTotal: 16384000, MemFree: 16076800, MemAvailable: 16240640 }

t.test('a limited container has every line of the host, with its own counts', async t => {
  const tenant = unified(t, { ...USED, '/ctr/memory.max': GiB })
  t.equal(tenant.read('meminfo'), LIMITED_MEMINFO)
})

t.test('without any limit the total is that of the host, the usage the own', async t => {
  const tenant = unified(t, { ...USED, '/ctr/memory.max': 'max' })
  t.match(read(tenant), UNLIMITED)
  tenant.reopen({ clampFreeToHost: 'on' })
  t.match(read(tenant), { MemTotal: 16384000, MemFree: 8000000, MemAvailable: 12000000 })
})

t.test('a limit above the memory of the host is none', async t => {
  t.match(read(unified(t, { ...USED, '/ctr/memory.max': 68719476736 })), UNLIMITED)
})

t.test('memory.high is no limit', async t => {
  const tenant = unified(t, {
    ...USED,
    '/ctr/memory.max': 'max',
    '/ctr/memory.high': 268435456,
  })
  t.match(read(tenant), UNLIMITED)
})

const POD: Files = {
  '/pod/memory.max': 536870912,
  '/pod/memory.current': 419430400,
  '/pod/memory.stat': 'inactive_file 52428800\nactive_file 0\nslab_reclaimable 0\n',
  '/pod/ctr/memory.current': 104857600,
  '/pod/ctr/memory.stat': 'file 20971520\ninactive_file 20971520\n',
}

t.test('what is free under a lower limit of the parent is free for all below it', async t => {
  const tenant = unified(t, { ...POD, '/pod/ctr/memory.max': GiB }, { path: '/pod/ctr' })
  t.match(read(tenant), { MemTotal: 524288, MemFree: 114688, MemAvailable: 165888, Cached: 20480 })
})

t.test('of equal limits the closest counts', async t => {
  const tenant = unified(t, { ...POD, '/pod/ctr/memory.max': 536870912 }, { path: '/pod/ctr' })
  t.match(read(tenant), { MemTotal: 524288, MemFree: 421888 })
})

t.test('a level without the file is passed on the way up, and the root is never asked', async t => {
  const tenant = unified(
    t,
    {
      ...POD,
      '/memory.max': 4096,
      '/pod/slice/cgroup.procs': '',
      '/pod/slice/ctr/memory.current': 104857600,
      '/pod/slice/ctr/memory.stat': '',
    },
    { path: '/pod/slice/ctr' },
  )
  t.match(read(tenant), { MemTotal: 524288, MemFree: 114688 })
})

t.test('usage above the limit for a moment leaves nothing free', async t => {
  const tenant = unified(t, {
    '/ctr/memory.max': 104857600,
    '/ctr/memory.current': 104861696,
    '/ctr/memory.stat': 'inactive_file 5242880\nactive_file 1048576\nslab_reclaimable 4096\n',
  })
  t.match(read(tenant), { MemTotal: 102400, MemFree: 0, MemAvailable: 6148 })
  tenant.set({ '/ctr/memory.stat': 'inactive_file 209715200\n' })
  t.match(read(tenant), { MemFree: 0, MemAvailable: 102400 }, 'statistics lag behind the usage')
})

t.test('the swap cache is no page cache', async t => {
  const tenant = unified(t, {
    '/ctr/memory.max': GiB,
    '/ctr/memory.current': 314572800,
    '/ctr/memory.stat': change(SAMPLE_MEMORY_STAT, { swapcached: 31457280 }),
  })
  t.match(read(tenant), { Cached: 122880, SwapCached: 30720 })
})

t.test('the cache and what the kernel can free fit into the usage', async t => {
  const tenant = unified(t, {
    '/ctr/memory.max': GiB,
    '/ctr/memory.current': 31457280,
    '/ctr/memory.stat': SAMPLE_MEMORY_STAT,
  })
  const seen = read(tenant)
  t.match(seen, { MemFree: 1017856, SReclaimable: 20480, Cached: 10240, Shmem: 10240 })
  t.equal(seen.MemTotal, 1017856 + 20480 + 10240)
  tenant.set({ '/ctr/memory.current': 10485760 })
  t.match(read(tenant), { SReclaimable: 10240, KReclaimable: 10240, Cached: 0, Shmem: 0 })
})

t.test("without a memory controller the host's file is shown, byte by byte", async t => {
  const controllers = ['cpu', 'cpuset', 'io', 'pids']
  t.equal(unified(t, {}, { controllers }).read('meminfo'), SAMPLE_MEMINFO)
  t.equal(legacy(t, {}, { controllers }).read('meminfo'), SAMPLE_MEMINFO)
  t.equal(unified(t, USED, { path: '/' }).read('meminfo'), SAMPLE_MEMINFO, 'not placed')
})

t.test('where memory is not counted, only the ancestor that limits may speak', async t => {
  const tenant = unified(t, { ...POD, '/pod/ctr/memory.current': undefined }, { path: '/pod/ctr' })
  t.match(read(tenant), { MemTotal: 524288, MemFree: 114688, MemAvailable: 165888 })
  tenant.set({ '/pod/memory.max': 'max' })
  t.equal(tenant.read('meminfo'), SAMPLE_MEMINFO)
})

t.test('a limit of 0 shows as what is used in spite of it', async t => {
  const tenant = unified(t, { '/ctr/memory.max': 0, '/ctr/memory.current': 4194304 })
  t.match(read(tenant), { MemTotal: 4096, MemFree: 0, MemAvailable: 0 })
  tenant.set({ '/ctr/memory.current': 0 })
  t.match(read(tenant), { MemTotal: 4 }, 'never nothing: ps divides by it')
})

t.test('a new limit shows in the next read', async t => {
  const tenant = unified(t, { ...USED, '/ctr/memory.max': GiB })
  t.match(read(tenant), { MemTotal: 1048576 })
  tenant.set({ '/ctr/memory.max': 2 * GiB })
  t.match(read(tenant), { MemTotal: 2097152 })
})
