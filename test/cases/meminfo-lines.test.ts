/** Which lines a container's /proc/meminfo has, and what stands in those that no limit makes. */

import t from 'tap'
import { changeFields } from '../machines/fields.ts'
import { change, numbers, SAMPLE_MEMINFO, SAMPLE_MEMORY_STAT } from '../machines/sample-host.ts'
import { type Files, legacy, type Tenant, unified } from './tenant.ts'

const GiB = 2 ** 30
const USED = { '/ctr/memory.current': 314572800, '/ctr/memory.stat': SAMPLE_MEMORY_STAT }
const read = (tenant: Tenant) => numbers(tenant.read('meminfo'))

t.test('lines are those of the host, of whatever kernel', async t => {
  const older = SAMPLE_MEMINFO.replace(/^(Zswap|KReclaimable): .*\n/gm, '')
  const newer = `${older}FooPages:   999999999 kB\nFooSmall:        12 kB\nFooCount:    7777777\n`
  const tenant = unified(t, { ...USED, '/ctr/memory.max': GiB, 'proc/meminfo': newer })
  const text = tenant.read('meminfo')
  t.notMatch(text, /^(Zswap|KReclaimable):/m)
  t.match(
    text,
    'FooPages:        1048576 kB\nFooSmall:             12 kB\nFooCount:        7777777\n',
  )
  const keys = (text: string) => text.match(/^.*?:/gm)
  t.same(keys(text), keys(newer))
})

t.test('a 32-bit kernel has all memory low', async t => {
  const tenant = unified(t, {
    ...USED,
    '/ctr/memory.max': GiB,
    'proc/meminfo': `${SAMPLE_MEMINFO}HighTotal: 500 kB\nHighFree: 400 kB\nLowTotal: 9000 kB\nLowFree: 8000 kB\n`,
  })
  t.match(read(tenant), { HighTotal: 0, HighFree: 0, LowTotal: 1048576, LowFree: 741376 })
})

t.test('no more is locked than cannot be evicted, and no more than on the host', async t => {
  const unevictable = (bytes: number) =>
    unified(t, {
      '/ctr/memory.max': GiB,
      '/ctr/memory.current': 314572800,
      '/ctr/memory.stat': change(SAMPLE_MEMORY_STAT, { unevictable: bytes }),
    })
  t.match(read(unevictable(8388608)), { Unevictable: 8192, Mlocked: 8192 })
  t.match(read(unevictable(33554432)), { Unevictable: 32768, Mlocked: 17020 })
})

t.test('every count of newer kernels has its line', async t => {
  const tenant = unified(t, {
    '/ctr/memory.max': GiB,
    '/ctr/memory.current': 314572800,
    '/ctr/memory.stat': change(SAMPLE_MEMORY_STAT, {
      zswap: 4194304,
      zswapped: 12582912,
      sec_pagetables: 8192,
      vmalloc: 16384,
      shmem_thp: 2097152,
      file_thp: 4194304,
    }),
  })
  t.match(read(tenant), {
    Zswap: 4096,
    Zswapped: 12288,
    SecPageTables: 8,
    VmallocUsed: 16,
    ShmemHugePages: 2048,
    FileHugePages: 4096,
  })
})

t.test(
  'an older kernel that does not count something shows 0, not the number of the host',
  async t => {
    const tenant = unified(t, {
      '/ctr/memory.max': GiB,
      '/ctr/memory.current': 314572800,
      '/ctr/memory.stat': 'anon 104857600\nfile 157286400\n',
    })
    t.match(read(tenant), { PageTables: 0, Percpu: 0, KernelStack: 0, AnonHugePages: 0, Slab: 0 })
  },
)

t.test('what may be committed follows the settings of the host', async t => {
  const files = {
    ...USED,
    '/ctr/memory.max': GiB,
    '/ctr/memory.swap.max': 268435456,
    '/ctr/memory.swap.current': 10485760,
  }
  const tenant = unified(t, files)
  t.match(read(tenant), { CommitLimit: 524288 + 262144, Committed_AS: 112640 + 10240 })
  tenant.set({ 'proc/sys/vm/overcommit_ratio': 80 })
  t.match(read(tenant), { CommitLimit: 838860 + 262144 })
  tenant.set({ 'proc/sys/vm/overcommit_kbytes': 100000 })
  t.match(read(tenant), { CommitLimit: 100000 + 262144 })
  tenant.set({ 'proc/sys/vm/overcommit_kbytes': 8000000 })
  t.match(read(tenant), { CommitLimit: 1048576 + 262144 }, 'at most the memory')
  tenant.set({
    'proc/sys/vm/overcommit_kbytes': undefined,
    'proc/sys/vm/overcommit_ratio': undefined,
  })
  t.match(read(tenant), { CommitLimit: 524288 + 262144 }, 'a kernel without the settings')
})

t.test('a limit on huge pages shows in their lines', async t => {
  const tenant = unified(
    t,
    {
      ...USED,
      '/pod/hugetlb.2MB.max': 6291456,
      '/pod/hugetlb.2MB.current': 2097152,
      '/pod/ctr/hugetlb.2MB.max': 8388608,
      '/pod/ctr/hugetlb.2MB.current': 0,
      '/pod/ctr/memory.current': 0,
    },
    { path: '/pod/ctr' },
  )
  const lines = () => tenant.read('meminfo').match(/^Huge.*$/gm)
  t.same(lines(), [
    'HugePages_Total:       3',
    'HugePages_Free:        2',
    'HugePages_Rsvd:        0',
    'HugePages_Surp:        0',
    'Hugepagesize:       2048 kB',
    'Hugetlb:            6144 kB',
  ])
  tenant.set({ '/pod/hugetlb.2MB.max': 'max', '/pod/ctr/hugetlb.2MB.max': 104857600 })
  t.match(read(tenant), { HugePages_Total: 8, HugePages_Free: 6, HugePages_Rsvd: 0 })
  tenant.set({ '/pod/ctr/hugetlb.2MB.max': 'max' })
  t.match(read(tenant), {
    HugePages_Total: 8,
    HugePages_Free: 6,
    HugePages_Rsvd: 1,
    Hugetlb: 16384,
  })
})

t.test('huge pages of the default size count, whatever that is', async t => {
  const tenant = unified(t, {
    ...USED,
    '/ctr/memory.max': GiB,
    'proc/meminfo': SAMPLE_MEMINFO.replace(/^Hugepagesize: .*$/m, 'Hugepagesize:    1048576 kB'),
    '/ctr/hugetlb.2MB.max': 0,
    '/ctr/hugetlb.1GB.max': 3 * GiB,
    '/ctr/hugetlb.1GB.current': GiB,
  })
  t.match(read(tenant), { HugePages_Total: 3, HugePages_Free: 2, Hugetlb: 3145728 })
})

const POOLS = 'sys/kernel/mm/hugepages'

/** Files of a machine that has so many huge pages, of which 2 MiB is the default size. */
const withPages = (small: number, large: number): Files => ({
  'proc/meminfo': changeFields(SAMPLE_MEMINFO, {
    HugePages_Total: small,
    HugePages_Free: small,
    HugePages_Rsvd: 0,
    Hugetlb: small * 2048 + large * 1048576,
  }),
  [`${POOLS}/hugepages-2048kB/nr_hugepages`]: small,
  [`${POOLS}/hugepages-1048576kB/nr_hugepages`]: large,
  [`${POOLS}/hugepages-64kB/nr_hugepages`]: 0,
})

for (const [kind, make, file] of [
  ['v1', legacy, 'limit_in_bytes'],
  ['v2', unified, 'max'],
] as const) {
  t.test(`memory in huge pages is what the limits on each size leave of it: ${kind}`, async t => {
    const tenant = make(t, {
      ...(kind === 'v1' ? { '/ctr/memory.usage_in_bytes': 4194304 } : USED),
      ...withPages(0, 4),
      [`/ctr/hugetlb.2MB.${file}`]: 8388608,
      [`/ctr/hugetlb.1GB.${file}`]: '9223372036317904896',
    })
    const hugetlb = () => read(tenant).Hugetlb
    t.equal(hugetlb(), 4194304, 'the host has none of the size that is limited')
    tenant.set({ [`/ctr/hugetlb.1GB.${file}`]: GiB })
    t.equal(hugetlb(), 1048576)
    tenant.set({ [`/ctr/hugetlb.1GB.${file}`]: 0 })
    t.equal(hugetlb(), 0)
    t.match(read(tenant), { HugePages_Total: 0, HugePages_Free: 0 })
    tenant.set(withPages(8, 4))
    t.equal(hugetlb(), 8192, 'four of 2 MiB')
    tenant.set({ [`/ctr/hugetlb.1GB.${file}`]: 3 * GiB })
    t.equal(hugetlb(), 8192 + 3 * 1048576)
    tenant.set({ [`/ctr/hugetlb.2MB.${file}`]: '9223372036852678656' })
    t.match(read(tenant), { HugePages_Total: 8, Hugetlb: 16384 + 3 * 1048576 })
    tenant.set({ [`/ctr/hugetlb.1GB.${file}`]: 5 * GiB })
    t.match(read(tenant), { HugePages_Total: 8, Hugetlb: 16384 + 4 * 1048576 })
  })
}

t.test('what a host without sysfs does not tell apart stays', async t => {
  const tenant = unified(t, {
    ...USED,
    'proc/meminfo': String(withPages(8, 4)['proc/meminfo']),
    '/ctr/hugetlb.2MB.max': 4194304,
    '/ctr/hugetlb.1GB.max': 0,
  })
  t.match(read(tenant), { HugePages_Total: 2, Hugetlb: 4096 + 4 * 1048576 })
})
