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

/** All that the host has but for what the container uses; what others use is not available. */
const UNLIMITED = { MemTotal: 16384000, MemFree: 16076800, MemAvailable: 12000000 }

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

t.test('memory.high bounds what is available, not what there is', async t => {
  const tenant = unified(t, { ...USED, '/ctr/memory.max': 'max', '/ctr/memory.high': 419430400 })
  // Of 400 MiB 100 are left, and 160 can be taken back.
  t.match(read(tenant), { ...UNLIMITED, MemAvailable: 266240 })
  tenant.set({ '/ctr/memory.max': GiB })
  t.match(read(tenant), { MemTotal: 1048576, MemFree: 741376, MemAvailable: 266240 })
  tenant.set({ '/ctr/memory.high': 268435456 })
  t.match(read(tenant), { MemFree: 741376, MemAvailable: 163840 }, 'usage above it')
  tenant.set({ '/ctr/memory.high': 'max' })
  t.match(read(tenant), { MemTotal: 1048576, MemFree: 741376, MemAvailable: 905216 })
  tenant.set({ '/ctr/memory.high': 2 * GiB })
  t.match(read(tenant), { MemAvailable: 905216 }, 'one above the limit')
})

t.test('where nothing is available free and htop do not show what is free instead', async t => {
  const tenant = unified(t, {
    '/ctr/memory.max': 'max',
    '/ctr/memory.current': 314572800,
    '/ctr/memory.high': 268435456,
  })
  t.match(read(tenant), { MemFree: 16076800, MemAvailable: 1 })
  tenant.set({ '/ctr/memory.max': 314572800 })
  t.match(read(tenant), { MemFree: 0, MemAvailable: 0 })
})

t.test('a soft limit of v1 throttles nobody', async t => {
  const tenant = legacy(t, {
    '/ctr/memory.usage_in_bytes': 314572800,
    '/ctr/memory.soft_limit_in_bytes': 1048576,
    '/ctr/memory.high': 1048576,
  })
  t.match(read(tenant), UNLIMITED)
})

t.test('no more is available than on the host, by option no more is free either', async t => {
  const host = (free: string, available: string) => ({
    'proc/meminfo': SAMPLE_MEMINFO.replace('8000000 kB', free).replace('12000000 kB', available),
  })
  const tenant = unified(t, { ...USED, '/ctr/memory.max': GiB, ...host('200000 kB', '500000 kB') })
  t.match(read(tenant), { MemTotal: 1048576, MemFree: 741376, MemAvailable: 500000 })
  tenant.reopen({ clampFreeToHost: 'on' })
  t.match(read(tenant), { MemTotal: 1048576, MemFree: 200000, MemAvailable: 500000 })
  tenant.set(host('800000 kB', '0 kB'))
  t.match(read(tenant), { MemFree: 741376, MemAvailable: 1 })
})

const POD: Files = {
  '/pod/memory.max': 536870912,
  '/pod/memory.current': 419430400,
  '/pod/memory.stat': 'inactive_file 52428800\nactive_file 0\nslab_reclaimable 0\n',
  '/pod/ctr/memory.current': 104857600,
  '/pod/ctr/memory.stat': 'file 20971520\ninactive_file 20971520\n',
}

t.test('memory.high of a cgroup above counts with what is used there', async t => {
  const tenant = unified(
    t,
    {
      ...POD,
      '/pod/memory.max': 'max',
      '/pod/memory.high': 524288000,
      '/pod/ctr/memory.max': GiB,
      '/pod/ctr/memory.high': 209715200,
    },
    { path: '/pod/ctr' },
  )
  // The container has 100 MiB of 200 left and 20 to be taken back, the pod 100 of 500 and 50.
  t.match(read(tenant), { MemTotal: 1048576, MemFree: 946176, MemAvailable: 122880 })
  tenant.set({ '/pod/memory.current': 513802240 })
  t.match(read(tenant), { MemFree: 946176, MemAvailable: 61440 })
  tenant.set({ '/pod/memory.high': 'max' })
  tenant.advance(0.1)
  t.match(read(tenant), { MemAvailable: 122880 }, '0.1 s later at most')
  tenant.set({ '/pod/memory.high': 4096, '/pod/memory.current': undefined })
  tenant.advance(0.1)
  t.match(read(tenant), { MemAvailable: 122880 }, 'a level that counts nothing')
})

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
