/** What a container's /proc/meminfo says where the memory controller is v1's. */

import t from 'tap'
import { numbers, SAMPLE_V1_MEMORY_STAT } from '../machines/sample-host.ts'
import { type Files, hybrid, legacy, type Tenant } from './tenant.ts'

const GiB = 2 ** 30
const read = (tenant: Tenant) => numbers(tenant.read('meminfo'))

t.test('the number by which v1 says "unlimited" depends on the page size', async t => {
  for (const limit of ['9223372036854771712', '9223372036854710272']) {
    const tenant = legacy(t, {
      '/ctr/memory.limit_in_bytes': limit,
      '/ctr/memory.usage_in_bytes': 314572800,
    })
    t.match(read(tenant), { MemTotal: 16384000, MemFree: 16076800 }, limit)
  }
})

const MEASURED: Files = {
  '/ctr/memory.limit_in_bytes': 268435456,
  '/ctr/memory.usage_in_bytes': 94662656,
  '/ctr/memory.kmem.usage_in_bytes': 2621440,
  '/ctr/memory.stat': SAMPLE_V1_MEMORY_STAT,
}

t.test('under v1 the counts include those of the cgroups below', async t => {
  t.match(read(legacy(t, MEASURED)), {
    MemTotal: 262144,
    MemFree: 169700,
    MemAvailable: 200648,
    Cached: 51428,
    AnonPages: 38444,
    Mapped: 20480,
    Shmem: 20480,
    Dirty: 8,
    Slab: 2560,
    SReclaimable: 0,
    SUnreclaim: 2560,
    KReclaimable: 0,
    KernelStack: 0,
    PageTables: 0,
    Percpu: 0,
    SwapCached: 0,
  })
})

t.test("on a hybrid host memory is v1's", async t => {
  const tenant = hybrid(t, { ...MEASURED, 'sys/fs/cgroup/unified/ctr/memory.max': 4096 })
  t.match(read(tenant), { MemTotal: 262144, MemFree: 169700, MemAvailable: 200648 })
})

t.test('huge anonymous pages are counted apart from anonymous ones under v1', async t => {
  const tenant = legacy(t, {
    ...MEASURED,
    '/ctr/memory.stat': 'total_rss 8388608\ntotal_rss_huge 4194304\n',
  })
  t.match(read(tenant), { AnonPages: 8192, AnonHugePages: 4096 })
})

t.test('an ancestor with use_hierarchy 0 does not limit those below it under v1', async t => {
  const files = {
    '/pod/memory.limit_in_bytes': 104857600,
    '/pod/memory.usage_in_bytes': 0,
    '/pod/ctr/memory.limit_in_bytes': GiB,
    '/pod/ctr/memory.usage_in_bytes': 4194304,
  }
  const tenant = legacy(t, { ...files, '/pod/memory.use_hierarchy': 0 }, { path: '/pod/ctr' })
  t.match(read(tenant), { MemTotal: 1048576, MemFree: 1044480 })
  tenant.set({ '/pod/memory.use_hierarchy': 1 })
  t.match(read(tenant), { MemTotal: 102400, MemFree: 102400 })
})

t.test("the kernel's own minimum under v1 counts where no file shows it", async t => {
  const tenant = legacy(t, {
    '/ctr/memory.limit_in_bytes': GiB,
    '/ctr/memory.usage_in_bytes': 4194304,
    '/ctr/memory.stat': 'hierarchical_memory_limit 536870912\n',
  })
  t.match(read(tenant), { MemTotal: 524288, MemFree: 520192 })
})

t.test("v1's swap cache is no page cache, and what cannot be evicted may be locked", async t => {
  const tenant = legacy(t, {
    '/ctr/memory.limit_in_bytes': GiB,
    '/ctr/memory.usage_in_bytes': 104857600,
    '/ctr/memory.stat':
      'total_cache 52428800\ntotal_swapcached 10485760\ntotal_unevictable 4194304\ntotal_writeback 8192\n',
  })
  t.match(read(tenant), {
    Cached: 40960,
    SwapCached: 10240,
    Unevictable: 4096,
    Mlocked: 4096,
    Writeback: 8,
  })
})

t.test('a limit on huge pages may be under v1', async t => {
  const tenant = legacy(t, {
    ...MEASURED,
    '/ctr/hugetlb.2MB.limit_in_bytes': 4194304,
    '/ctr/hugetlb.2MB.usage_in_bytes': 4194304,
    '/ctr/hugetlb.1GB.limit_in_bytes': 0,
  })
  t.match(read(tenant), { HugePages_Total: 2, HugePages_Free: 0, Hugetlb: 4096 })
  tenant.set({ '/ctr/hugetlb.2MB.limit_in_bytes': '9223372036852678656' })
  t.match(read(tenant), { HugePages_Total: 8, HugePages_Free: 6, HugePages_Rsvd: 1 })
})
