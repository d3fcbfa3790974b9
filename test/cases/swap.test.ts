/** What a container's /proc/meminfo and /proc/swaps say of its swap: always the same. */

import t, { type Test } from 'tap'
import { numbers, SAMPLE_HOST, SAMPLE_MEMINFO } from '../machines/sample-host.ts'
import { type Files, hybrid, legacy, type Setting, type Tenant, unified } from './tenant.ts'

const GiB = 2 ** 30
const HEADER = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
const row = (numbers: string) => `none${' '.repeat(36)}virtual\t\t${numbers}\n`

function swap(tenant: Tenant): { total: number | undefined; free: number | undefined } {
  const { SwapTotal: total, SwapFree: free } = numbers(tenant.read('meminfo'))
  const [, size, used] = /^none {36}virtual\t+(\d+)\t+(\d+)\t/m.exec(tenant.read('swaps')) ?? []
  // Whoever compares the two files finds one truth.
  if (Number(size ?? 0) !== total || Number(used ?? 0) !== (total ?? 0) - (free ?? 0)) {
    throw new Error(`Cannot match swaps "${tenant.read('swaps')}" with ${total} and ${free}`)
  }
  return { total, free }
}

const MEMORY = { '/ctr/memory.max': GiB, '/ctr/memory.current': 314572800 }
const v2 = (t: Test, max: string | number, current: number, more: Files = {}, setting?: Setting) =>
  unified(
    t,
    { ...MEMORY, '/ctr/memory.swap.max': max, '/ctr/memory.swap.current': current, ...more },
    setting,
  )
t.test('a limit of the unified hierarchy is the amount of swap', async t => {
  const tenant = v2(t, 268435456, 10485760)
  t.same(swap(tenant), { total: 262144, free: 251904 })
  t.equal(tenant.read('swaps'), HEADER + row('262144\t\t10240\t\t0'))
})

t.test('a limit of 0 with nothing in swap is no swap', async t => {
  const tenant = v2(t, 0, 0)
  t.same(swap(tenant), { total: 0, free: 0 })
  t.equal(tenant.read('swaps'), HEADER)
})

t.test('what is in swap stays the total when the limit is lowered below it', async t => {
  t.same(swap(v2(t, 0, 4194304)), { total: 4096, free: 0 })
  t.same(swap(v2(t, 1048576, 4194304)), { total: 4096, free: 0 })
  t.same(swap(v2(t, 1048576, 5 * GiB)), { total: 4194304, free: 0 }, 'within the swap of the host')
})

t.test('without a limit the total is that of the host', async t => {
  t.same(swap(v2(t, 'max', 4096)), { total: 4194304, free: 4194300 })
  t.same(swap(v2(t, 64 * GiB, 4096)), { total: 4194304, free: 4194300 }, 'or above the host')
})

const NO_SWAP = SAMPLE_MEMINFO.replace(/^(Swap(?:Total|Free): *)\d{7}/gm, '$1      0')

t.test('a host without swap gives none', async t => {
  const tenant = v2(t, 'max', 0, { 'proc/meminfo': NO_SWAP, 'proc/swaps': HEADER })
  t.same(swap(tenant), { total: 0, free: 0 })
  t.equal(tenant.read('swaps'), HEADER)
})

t.test('swap that the kernel does not count by cgroup is not shown', async t => {
  const limit = { '/ctr/memory.limit_in_bytes': GiB, '/ctr/memory.usage_in_bytes': 4096 }
  for (const tenant of [unified(t, MEMORY), legacy(t, limit), hybrid(t, limit)]) {
    t.same(swap(tenant), { total: 0, free: 0 })
    t.equal(tenant.read('swaps'), HEADER)
  }
})

t.test('swap under a lower limit of the parent is shared with all below it', async t => {
  const files = {
    '/pod/memory.swap.max': 268435456,
    '/pod/memory.swap.current': 209715200,
    '/pod/ctr/memory.current': 4096,
    '/pod/ctr/memory.swap.max': 'max',
    '/pod/ctr/memory.swap.current': 10485760,
  }
  t.same(swap(unified(t, files, { path: '/pod/ctr' })), { total: 262144, free: 57344 })
})

const V1: Files = {
  '/ctr/memory.limit_in_bytes': 268435456,
  '/ctr/memory.usage_in_bytes': 94662656,
  '/ctr/memory.memsw.limit_in_bytes': 536870912,
  '/ctr/memory.memsw.usage_in_bytes': 115634176,
  '/ctr/memory.stat': 'total_swap 20971520\n',
}

t.test("v1's limit on memory and swap leaves what the memory limit does not take", async t => {
  const tenant = legacy(t, V1)
  t.same(swap(tenant), { total: 262144, free: 241664 })
  t.equal(tenant.read('swaps'), HEADER + row('262144\t\t20480\t\t0'))
  tenant.reopen({ v1SwapTotal: 'memsw' })
  t.same(swap(tenant), { total: 524288, free: 503808 })
})

t.test('no limit on memory beside one on both leaves no swap', async t => {
  const tenant = legacy(t, {
    ...V1,
    '/ctr/memory.limit_in_bytes': '9223372036854771712',
    '/ctr/memory.stat': 'total_swap 0\n',
  })
  t.same(swap(tenant), { total: 0, free: 0 })
})

t.test("v1's counters are not exact where total_swap is missing", async t => {
  const tenant = legacy(t, {
    ...V1,
    '/ctr/memory.usage_in_bytes': 1000000,
    '/ctr/memory.memsw.usage_in_bytes': 995904,
    '/ctr/memory.stat': undefined,
  })
  t.same(swap(tenant), { total: 262144, free: 262144 })
  tenant.set({ '/ctr/memory.memsw.usage_in_bytes': 1000000 + 10485760 })
  t.same(swap(tenant), { total: 262144, free: 251904 })
})

t.test('a cgroup with swappiness 0 has what is in swap already, and no more', async t => {
  const tenant = legacy(t, {
    ...V1,
    '/ctr/memory.swappiness': 0,
    '/ctr/memory.stat': 'total_swap 0\n',
  })
  t.same(swap(tenant), { total: 0, free: 0 })
  t.equal(tenant.read('swaps'), HEADER)
  tenant.set({ '/ctr/memory.stat': 'total_swap 4194304\n' })
  t.same(swap(tenant), { total: 4096, free: 0 })
  tenant.set({ '/ctr/memory.swappiness': 60 })
  t.same(swap(tenant), { total: 262144, free: 258048 })
})

t.test('no limit on memory and swap under v1 gives the swap of the host', async t => {
  const tenant = legacy(t, {
    ...V1,
    '/ctr/memory.limit_in_bytes': GiB,
    '/ctr/memory.memsw.limit_in_bytes': '9223372036854771712',
    '/ctr/memory.stat': 'total_swap 0\n',
  })
  t.same(swap(tenant), { total: 4194304, free: 4194304 })
})

t.test("the lowest limits of v1's ancestors count, each by itself", async t => {
  const files = {
    '/pod/memory.limit_in_bytes': 268435456,
    '/pod/memory.usage_in_bytes': 4194304,
    '/pod/memory.memsw.limit_in_bytes': '9223372036854771712',
    '/pod/memory.memsw.usage_in_bytes': 4194304,
    '/pod/memory.stat': 'total_swap 0\n',
    '/pod/ctr/memory.limit_in_bytes': 536870912,
    '/pod/ctr/memory.usage_in_bytes': 4194304,
    '/pod/ctr/memory.memsw.limit_in_bytes': 402653184,
    '/pod/ctr/memory.memsw.usage_in_bytes': 4194304,
    '/pod/ctr/memory.stat': 'total_swap 1048576\n',
  }
  const tenant = legacy(t, files, { path: '/pod/ctr' })
  t.same(swap(tenant), { total: 131072, free: 130048 })
  tenant.set({
    '/pod/memory.memsw.limit_in_bytes': 301989888,
    '/pod/memory.stat': 'total_swap 31457280\n',
  })
  t.same(swap(tenant), { total: 32768, free: 2048 }, 'the limit of the parent is shared')
  tenant.set({
    '/pod/memory.memsw.limit_in_bytes': '9223372036854771712',
    '/pod/ctr/memory.stat': 'total_swap 0\nhierarchical_memsw_limit 285212672\n',
  })
  t.same(swap(tenant), { total: 16384, free: 16384 }, 'a limit that no file here shows')
})

t.test('the header is that of the kernel, and rows have tabs like it', async t => {
  const header = 'Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n'
  const tenant = v2(t, 268435456, 10485760, { 'proc/swaps': header })
  t.equal(tenant.read('swaps'), header + row('262144\t10240\t0'))
})

t.test('a number of eight digits has one tab behind it', async t => {
  const files = {
    'proc/meminfo': SAMPLE_MEMINFO.replace(/^SwapTotal: *\d+/m, 'SwapTotal:      40000000'),
  }
  const tenant = v2(t, 30 * GiB, 20 * GiB, files)
  t.equal(tenant.read('swaps'), HEADER + row('31457280\t20971520\t0'))
})

t.test('an operator may show no swap at all', async t => {
  const tenant = v2(t, 268435456, 10485760, {}, { options: { swap: 'off' } })
  t.same(swap(tenant), { total: 0, free: 0 })
  t.equal(tenant.read('swaps'), HEADER)
})

t.test("without a memory controller the host's file is shown", async t => {
  const tenant = unified(t, {}, { controllers: ['cpu'] })
  t.equal(tenant.read('swaps'), SAMPLE_HOST['proc/swaps'])
})

t.test('under an ancestor that limits memory for all of it, its swap is shown', async t => {
  const files = {
    '/pod/memory.max': 536870912,
    '/pod/memory.current': 419430400,
    '/pod/memory.swap.max': 268435456,
    '/pod/memory.swap.current': 10485760,
  }
  t.same(swap(unified(t, files, { path: '/pod/ctr' })), { total: 262144, free: 251904 })
})

t.test("what others have in the host's swap is not free where an operator says so", async t => {
  const meminfo = SAMPLE_MEMINFO.replace(/^SwapFree:.*$/m, 'SwapFree:         102400 kB')
  const tenant = v2(t, 268435456, 10485760, { 'proc/meminfo': meminfo })
  t.same(swap(tenant), { total: 262144, free: 251904 })
  tenant.reopen({ clampFreeToHost: 'on' })
  t.same(swap(tenant), { total: 262144, free: 102400 })
  t.equal(tenant.read('swaps'), HEADER + row('262144\t\t159744\t\t0'))
})
