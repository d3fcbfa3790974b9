import t, { type Test } from 'tap'
import { renderMeminfo } from '../../src/proc/meminfo.ts'
import type { Options } from '../../src/proc/options.ts'
import { limitSwaps, renderSwaps } from '../../src/proc/swaps.ts'
import type { View } from '../../src/proc/view.ts'
import { type Files, viewOfHost, viewV1, viewV2 } from '../machines/memory-view.ts'
import { numbers, SAMPLE_HOST, SAMPLE_MEMINFO } from '../machines/sample-host.ts'

const HEADER = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'
const OLD_HEADER = 'Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n'
const NAME_AND_TYPE = `none${' '.repeat(36)}virtual\t\t`
const GIB = 2 ** 30

/** SwapTotal and SwapFree of meminfo, which the row in swaps must say, too. */
function swapOf(t: Test, view: View): [number, number] {
  const { SwapTotal = Number.NaN, SwapFree = Number.NaN } = numbers(renderMeminfo(view).toString())
  const rows = renderSwaps(view).split('\n').slice(1, -1)
  t.same(
    rows.map(row => row.split(/\s+/).slice(2, 4).map(Number)),
    SwapTotal > 0 ? [[SwapTotal, SwapTotal - SwapFree]] : [],
    'swaps and meminfo agree',
  )
  return [SwapTotal, SwapFree]
}

function swapV2(t: Test, files: Files, options?: Partial<Options>): [number, number] {
  const usage = { '/pod/ctr/memory.max': `${GIB}\n`, '/pod/ctr/memory.current': '314572800\n' }
  return swapOf(t, viewV2(t, { ...usage, ...files }, options))
}

function swapV1(t: Test, files: Files, options?: Partial<Options>): [number, number] {
  const usage = {
    '/pod/ctr/memory.limit_in_bytes': '268435456\n',
    '/pod/ctr/memory.usage_in_bytes': '100000000\n',
    '/pod/ctr/memory.memsw.usage_in_bytes': '100000000\n',
    '/pod/ctr/memory.swappiness': '60\n',
  }
  return swapOf(t, viewV1(t, { ...usage, ...files }, options))
}

t.test('one row shows the swap of a container', async t => {
  const view = viewV2(t, {
    '/pod/ctr/memory.current': '314572800\n',
    '/pod/ctr/memory.swap.max': '268435456\n',
    '/pod/ctr/memory.swap.current': '10485760\n',
  })
  t.equal(renderSwaps(view), `${HEADER}${NAME_AND_TYPE}262144\t\t10240\t\t0\n`)
  t.same(swapOf(t, view), [262144, 251904])
})

t.test('an old header has single tabs, and so has the row', async t => {
  const swap = { totalKib: 262144, freeKib: 251904, usedKib: 10240, mostCachedKib: 0 }
  t.equal(limitSwaps(OLD_HEADER, swap), `${OLD_HEADER}${NAME_AND_TYPE}262144\t10240\t0\n`)
})

t.test('a number of eight digits takes its second tab', async t => {
  const swap = { totalKib: 10_000_000, freeKib: 1, usedKib: 9_999_999, mostCachedKib: 0 }
  t.equal(limitSwaps(HEADER, swap), `${HEADER}${NAME_AND_TYPE}10000000\t9999999\t\t0\n`)
})

t.test('the header ends with a newline, also when the host left that out', async t => {
  const swap = { totalKib: 0, freeKib: 0, usedKib: 0, mostCachedKib: 0 }
  t.equal(limitSwaps(HEADER.trimEnd(), swap), HEADER)
})

t.test('a limit of 0 is no swap, and none is shown', async t => {
  const none: Files = {
    '/pod/ctr/memory.swap.max': '0\n',
    '/pod/ctr/memory.swap.current': '0\n',
  }
  t.same(swapV2(t, none), [0, 0])
  t.same(
    swapV2(t, { ...none, '/pod/ctr/memory.swap.current': '8192\n' }),
    [8, 0],
    'but used one is',
  )
})

t.test('usage above a limit that was lowered makes the total', async t => {
  const files: Files = {
    '/pod/ctr/memory.swap.max': '4194304\n',
    '/pod/ctr/memory.swap.current': '10485760\n',
  }
  t.same(swapV2(t, files), [10240, 0])
})

t.test("without a limit there is the host's swap", async t => {
  const files: Files = {
    '/pod/ctr/memory.swap.max': 'max\n',
    '/pod/ctr/memory.swap.current': '4096\n',
  }
  t.same(swapV2(t, files), [4194304, 4194300])
  t.same(swapV2(t, { ...files, '/pod/ctr/memory.swap.max': `${64 * GIB}\n` }), [4194304, 4194300])
})

t.test('a host without swap gives none', async t => {
  const files: Files = {
    '/pod/ctr/memory.swap.max': 'max\n',
    '/pod/ctr/memory.swap.current': '0\n',
    'proc/meminfo': SAMPLE_MEMINFO.replace(/4194304 kB/, '      0 kB').replace(
      /4000000/,
      '      0',
    ),
  }
  t.same(swapV2(t, files), [0, 0])
  t.same(swapV2(t, { ...files, '/pod/ctr/memory.swap.current': '4096\n' }), [0, 0])
})

t.test('swap that the kernel does not count is not shown', async t => {
  t.same(swapV2(t, {}), [0, 0])
  t.same(swapV2(t, { '/pod/ctr/memory.swap.max': `${GIB}\n` }), [0, 0])
  t.same(swapV1(t, { '/pod/ctr/memory.memsw.usage_in_bytes': '' }), [0, 0])
})

t.test('an operator may hide it', async t => {
  const files: Files = {
    '/pod/ctr/memory.swap.max': '268435456\n',
    '/pod/ctr/memory.swap.current': '10485760\n',
  }
  t.same(swapV2(t, files, { swap: 'off' }), [0, 0])
})

t.test('a limit lower in the parent is shared with all below the parent', async t => {
  const files: Files = {
    '/pod/memory.swap.max': '268435456\n',
    '/pod/memory.swap.current': '104857600\n',
    '/pod/ctr/memory.swap.max': 'max\n',
    '/pod/ctr/memory.swap.current': '10485760\n',
  }
  t.same(swapV2(t, files), [262144, 159744])
  t.same(
    swapV2(t, { ...files, '/pod/memory.swap.current': '0\n' }),
    [262144, 251904],
    'less what the container itself uses',
  )
  t.same(swapV2(t, { ...files, '/pod/memory.swap.current': `${GIB}\n` }), [262144, 0])
})

t.test("under v1 it is the limit's part beyond memory", async t => {
  const files: Files = {
    '/pod/ctr/memory.memsw.limit_in_bytes': '536870912\n',
    '/pod/ctr/memory.stat': 'total_swap 20971520\n',
  }
  t.same(swapV1(t, files), [262144, 241664])
  t.same(swapV1(t, files, { v1SwapTotal: 'memsw' }), [524288, 503808], 'or all of it')
})

t.test("v1's unlimited memory and swap leaves the host's swap", async t => {
  const files: Files = {
    '/pod/ctr/memory.limit_in_bytes': `${GIB}\n`,
    '/pod/ctr/memory.memsw.limit_in_bytes': '9223372036854771712\n',
    '/pod/ctr/memory.stat': 'total_swap 0\n',
  }
  t.same(swapV1(t, files), [4194304, 4194304])
  t.same(swapV1(t, files, { v1SwapTotal: 'memsw' }), [4194304, 4194304])
})

t.test('equal limits of v1 leave no swap', async t => {
  const files: Files = {
    '/pod/ctr/memory.memsw.limit_in_bytes': '268435456\n',
    '/pod/ctr/memory.stat': 'total_swap 0\n',
  }
  t.same(swapV1(t, files), [0, 0])
})

t.test("v1's counters may say less than nothing", async t => {
  const files: Files = {
    '/pod/ctr/memory.memsw.limit_in_bytes': '536870912\n',
    '/pod/ctr/memory.usage_in_bytes': '1000000\n',
    '/pod/ctr/memory.memsw.usage_in_bytes': '995904\n',
  }
  t.same(swapV1(t, files), [262144, 262144])
  t.same(
    swapV1(t, { ...files, '/pod/ctr/memory.memsw.usage_in_bytes': '2024000\n' }),
    [262144, 261144],
    'or something, when nothing better is there',
  )
})

t.test('a v1 cgroup with swappiness 0 has what it has swapped out already', async t => {
  const files = (swap: number): Files => ({
    '/pod/ctr/memory.memsw.limit_in_bytes': '536870912\n',
    '/pod/ctr/memory.stat': `total_swap ${swap}\n`,
    '/pod/ctr/memory.swappiness': '0\n',
  })
  t.same(swapV1(t, files(0)), [0, 0])
  t.same(swapV1(t, files(4194304)), [4096, 0])
  t.same(swapV1(t, files(4194304), { v1SwapTotal: 'memsw' }), [4096, 0])
})

t.test("v1's limit in the parent is shared with all below the parent", async t => {
  const files: Files = {
    '/pod/memory.limit_in_bytes': '9223372036854771712\n',
    '/pod/memory.memsw.limit_in_bytes': '536870912\n',
    '/pod/memory.memsw.usage_in_bytes': '400000000\n',
    '/pod/memory.stat': 'total_swap 104857600\n',
    '/pod/ctr/memory.memsw.limit_in_bytes': '9223372036854771712\n',
    '/pod/ctr/memory.stat': 'total_swap 20971520\n',
  }
  t.same(swapV1(t, files), [262144, 159744])
})

t.test("without a memory cgroup the host's file is what there is", async t => {
  t.equal(renderSwaps(viewOfHost(t)), SAMPLE_HOST['proc/swaps'])
  t.equal(renderSwaps(viewV2(t, {})), SAMPLE_HOST['proc/swaps'])
})
