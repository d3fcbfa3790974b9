import t from 'tap'
import { parseFields } from '../../src/proc/lines.ts'
import { renderMeminfo as render } from '../../src/proc/meminfo.ts'
import type { View } from '../../src/proc/view.ts'
import { renderFields } from '../machines/fields.ts'
import { type Files, viewOfHost, viewV1, viewV2 } from '../machines/memory-view.ts'
import {
  change,
  LIMITED_MEMINFO,
  numbers,
  SAMPLE_MEMINFO,
  SAMPLE_MEMORY_STAT,
  SAMPLE_V1_MEMORY_STAT,
} from '../machines/sample-host.ts'

const renderMeminfo = (view: View) => render(view).toString()

const PLAIN: Files = {
  '/pod/ctr/memory.max': '1073741824\n',
  '/pod/ctr/memory.current': '314572800\n',
  '/pod/ctr/memory.stat': SAMPLE_MEMORY_STAT,
}

t.test("a v2 container's meminfo, line by line", async t => {
  t.equal(renderMeminfo(viewV2(t, PLAIN)), LIMITED_MEMINFO)
})

t.test('a v1 container, with numbers measured on a real one', async t => {
  const seen = numbers(
    renderMeminfo(
      viewV1(t, {
        '/pod/ctr/memory.limit_in_bytes': '268435456\n',
        '/pod/ctr/memory.usage_in_bytes': '94662656\n',
        '/pod/ctr/memory.kmem.usage_in_bytes': '2621440\n',
        '/pod/ctr/memory.stat': SAMPLE_V1_MEMORY_STAT,
      }),
    ),
  )
  t.match(seen, {
    MemTotal: 262144,
    MemFree: 169700,
    MemAvailable: 200648,
    Cached: 51428,
    AnonPages: 38444,
    AnonHugePages: 0,
    Mapped: 20480,
    Shmem: 20480,
    Dirty: 8,
    Slab: 2560,
    SReclaimable: 0,
    SUnreclaim: 2560,
    KReclaimable: 0,
    KernelStack: 0,
    'Inactive(anon)': 58828,
    Active: 16 + 52,
  })
})

t.test('a container without a limit has the whole host, less what it uses', async t => {
  const files: Files = { ...PLAIN, '/pod/ctr/memory.max': 'max\n' }
  const expected = { MemTotal: 16384000, MemFree: 16076800, MemAvailable: 12000000 }
  t.match(numbers(renderMeminfo(viewV2(t, files))), expected)
  t.match(
    numbers(renderMeminfo(viewV2(t, { ...PLAIN, '/pod/ctr/memory.max': '68719476736\n' }))),
    expected,
    'as has one with a limit above it',
  )
  t.match(
    numbers(renderMeminfo(viewV2(t, files, { clampFreeToHost: 'on' }))),
    { MemTotal: 16384000, MemFree: 8000000, MemAvailable: 12000000 },
    'an operator may bound it by what is free there',
  )
})

t.test('an ancestor whose limit is above the host limits nothing', async t => {
  const seen = numbers(
    renderMeminfo(
      viewV2(t, {
        '/pod/memory.max': '68719476736\n',
        '/pod/memory.current': '1073741824\n',
        '/pod/ctr/memory.max': 'max\n',
        '/pod/ctr/memory.current': '314572800\n',
        '/pod/ctr/memory.stat': SAMPLE_MEMORY_STAT,
      }),
    ),
  )
  t.match(seen, { MemTotal: 16384000, MemFree: 16076800, MemAvailable: 12000000 })
})

t.test("v1's largest limit is none, whatever the page size", async t => {
  for (const limit of ['9223372036854771712', '9223372036854710272', '9223372036854775807']) {
    const seen = renderMeminfo(
      viewV1(t, {
        '/pod/ctr/memory.limit_in_bytes': `${limit}\n`,
        '/pod/ctr/memory.usage_in_bytes': '314572800\n',
      }),
    )
    t.match(numbers(seen), { MemTotal: 16384000, MemFree: 16076800 })
  }
})

t.test("a limit lower in the parent counts, and so does the parent's usage", async t => {
  const seen = numbers(
    renderMeminfo(
      viewV2(t, {
        '/pod/memory.max': '536870912\n',
        '/pod/memory.current': '419430400\n',
        '/pod/memory.stat': 'inactive_file 52428800\nactive_file 0\nslab_reclaimable 0\n',
        '/pod/ctr/memory.max': '1073741824\n',
        '/pod/ctr/memory.current': '104857600\n',
        '/pod/ctr/memory.stat': 'file 20971520\ninactive_file 20971520\n',
      }),
    ),
  )
  t.match(seen, { MemTotal: 524288, MemFree: 114688, MemAvailable: 165888, Cached: 20480 })
})

t.test("of equal limits the container's own is the one that counts", async t => {
  const seen = numbers(
    renderMeminfo(
      viewV2(t, {
        '/pod/memory.max': '536870912\n',
        '/pod/memory.current': '419430400\n',
        '/pod/ctr/memory.max': '536870912\n',
        '/pod/ctr/memory.current': '104857600\n',
      }),
    ),
  )
  t.match(seen, { MemTotal: 524288, MemFree: 421888 })
})

t.test('a usage above the limit leaves nothing free', async t => {
  const seen = numbers(
    renderMeminfo(
      viewV2(t, {
        '/pod/ctr/memory.max': '104857600\n',
        '/pod/ctr/memory.current': '104861696\n',
        '/pod/ctr/memory.stat': 'file 104861696\ninactive_file 104861696\nshmem 104861696\n',
      }),
    ),
  )
  t.match(seen, { MemTotal: 102400, MemFree: 0, MemAvailable: 102400, Cached: 102400 })
  t.equal(seen.Shmem, 102400)
})

t.test('the swap cache is not in Cached', async t => {
  const stat = change(SAMPLE_MEMORY_STAT, { swapcached: 31457280 })
  const seen = numbers(renderMeminfo(viewV2(t, { ...PLAIN, '/pod/ctr/memory.stat': stat })))
  t.match(seen, { Cached: 122880, SwapCached: 30720 })
})

t.test('v1 counts transparent huge pages', async t => {
  const seen = renderMeminfo(
    viewV1(t, {
      '/pod/ctr/memory.usage_in_bytes': '8388608\n',
      '/pod/ctr/memory.stat': 'total_rss 8388608\ntotal_rss_huge 4194304\n',
    }),
  )
  t.match(numbers(seen), { AnonPages: 8192, AnonHugePages: 4096 })
})

t.test('v1 takes its swap cache out of Cached', async t => {
  const seen = renderMeminfo(
    viewV1(t, {
      '/pod/ctr/memory.usage_in_bytes': '8388608\n',
      '/pod/ctr/memory.stat': 'total_cache 4194304\ntotal_swapcached 1048576\n',
    }),
  )
  t.match(numbers(seen), { Cached: 3072, SwapCached: 1024 })
})

t.test("without a memory cgroup the host's file is what there is", async t => {
  t.equal(renderMeminfo(viewOfHost(t)), SAMPLE_MEMINFO)
  t.equal(renderMeminfo(viewV2(t, {})), SAMPLE_MEMINFO, 'nor with one that cannot be read')
  t.equal(renderMeminfo(viewV1(t, {})), SAMPLE_MEMINFO)
})

t.test('a limit of 0 shows as what is used in spite of it, never as 0', async t => {
  const limited = (current: string) =>
    numbers(
      renderMeminfo(
        viewV2(t, { '/pod/ctr/memory.max': '0\n', '/pod/ctr/memory.current': current }),
      ),
    )
  t.match(limited('4194304\n'), { MemTotal: 4096, MemFree: 0, MemAvailable: 0 })
  t.match(limited('0\n'), { MemTotal: 4 })
})

t.test("lines are the host's, in its order", async t => {
  const host =
    'MemTotal:       16384000 kB\nSlab:             450560 kB\nMemFree:         8000000 kB\n'
  t.equal(
    renderMeminfo(viewV2(t, { ...PLAIN, 'proc/meminfo': host })),
    'MemTotal:        1048576 kB\nSlab:              30720 kB\nMemFree:          741376 kB\n',
  )
})

t.test('a line nobody knows is bounded by the memory, a count is not', async t => {
  const host =
    'MemTotal:        1048576 kB\nFooPages:   999999999 kB\nBarPages:             12 kB\nFooCount:   999999999\n'
  t.equal(
    renderMeminfo(viewV2(t, { ...PLAIN, '/pod/ctr/memory.max': 'max\n', 'proc/meminfo': host })),
    'MemTotal:        1048576 kB\nFooPages:        1048576 kB\nBarPages:             12 kB\nFooCount:       999999999\n',
  )
})

t.test("the host's numbers of 2^53 and more stay, digit by digit", async t => {
  const host =
    'MemTotal:       16384000 kB\nMemFree:        18446744073709551612 kB\n' +
    'FooPages:       18446744073709551612 kB\nBarCount:       9007199254740993\n' +
    'HugePages_Total:       0\nHugePages_Rsvd:    18446744073709551615\n' +
    'DirectMap4k:    18446744073709550152 kB\n'
  t.equal(
    renderMeminfo(viewV2(t, { ...PLAIN, 'proc/meminfo': host })),
    'MemTotal:        1048576 kB\nMemFree:          741376 kB\n' +
      'FooPages:        1048576 kB\nBarCount:       9007199254740993\n' +
      'HugePages_Total:       0\nHugePages_Rsvd:    18446744073709551615\n' +
      'DirectMap4k:    18446744073709550152 kB\n',
  )
})

t.test('a container without a limit has as much as the host, however much that is', async t => {
  const host =
    'MemTotal:       9007199254740995 kB\nMemFree:         8000000 kB\n' +
    'SwapTotal:      9007199254740993 kB\nFooPages:       9007199254740997 kB\n'
  const files: Files = {
    '/pod/ctr/memory.max': 'max\n',
    '/pod/ctr/memory.current': '1048576\n',
    '/pod/ctr/memory.swap.max': 'max\n',
    '/pod/ctr/memory.swap.current': '0\n',
    'proc/meminfo': host,
  }
  t.equal(
    renderMeminfo(viewV2(t, files)),
    'MemTotal:       9007199254740995 kB\nMemFree:        9007199254739967 kB\n' +
      'SwapTotal:      9007199254740993 kB\nFooPages:       9007199254740997 kB\n',
  )
})

t.test('a 32-bit kernel has no high memory to show', async t => {
  const host =
    'MemTotal:       2048000 kB\nHighTotal:      1179648 kB\nHighFree:        900000 kB\n' +
    'LowTotal:        868352 kB\nLowFree:         500000 kB\n'
  t.match(numbers(renderMeminfo(viewV2(t, { ...PLAIN, 'proc/meminfo': host }))), {
    HighTotal: 0,
    HighFree: 0,
    LowTotal: 1048576,
    LowFree: 741376,
  })
  const free =
    'MemTotal:       2048000 kB\nMemFree:          600000 kB\nMemAvailable:     650000 kB\n' +
    'HighTotal:      1179648 kB\nHighFree:         500000 kB\n' +
    'LowTotal:        868352 kB\nLowFree:          100000 kB\n'
  t.match(
    numbers(
      renderMeminfo(viewV2(t, { ...PLAIN, 'proc/meminfo': free }, { clampFreeToHost: 'on' })),
    ),
    {
      MemTotal: 1048576,
      MemFree: 600000,
      MemAvailable: 650000,
      HighTotal: 0,
      HighFree: 0,
      LowTotal: 1048576,
      LowFree: 600000,
    },
    'no more of it is free than of all memory',
  )
})

t.test('a change of the limit shows at the next read', async t => {
  const view = viewV2(t, PLAIN)
  t.match(numbers(renderMeminfo(view)), { MemTotal: 1048576 })
  view.machine.set({ 'sys/fs/cgroup/pod/ctr/memory.max': '2147483648\n' })
  t.match(numbers(renderMeminfo(view)), { MemTotal: 2097152, MemFree: 1789952 })
})

t.test('memory.high limits nothing', async t => {
  const files: Files = {
    ...PLAIN,
    '/pod/ctr/memory.max': 'max\n',
    '/pod/ctr/memory.high': '268435456\n',
  }
  t.match(numbers(renderMeminfo(viewV2(t, files))), { MemTotal: 16384000 })
})

t.test('no more is locked than cannot be evicted', async t => {
  const locked = (unevictable: number) => {
    const stat = change(SAMPLE_MEMORY_STAT, { unevictable })
    return numbers(renderMeminfo(viewV2(t, { ...PLAIN, '/pod/ctr/memory.stat': stat })))
  }
  t.match(locked(4096 * 1024), { Unevictable: 4096, Mlocked: 4096 })
  t.match(locked(65536 * 1024), { Unevictable: 65536, Mlocked: 17020 })
})

t.test('memory.stat may run ahead of the usage', async t => {
  const seen = numbers(
    renderMeminfo(
      viewV2(t, {
        '/pod/ctr/memory.max': '1073741824\n',
        '/pod/ctr/memory.current': '10485760\n',
        '/pod/ctr/memory.stat':
          'file 20971520\ninactive_file 20971520\nslab_reclaimable 4194304\nshmem 20971520\nzswap 20971520\n',
      }),
    ),
  )
  t.match(seen, {
    MemFree: 1038336,
    MemAvailable: 1048576,
    SReclaimable: 4096,
    KReclaimable: 4096,
    Cached: 6144,
    Shmem: 6144,
    Zswap: 10240,
  })
})

t.test('zswap, page tables and huge pages of a newer kernel', async t => {
  const stat = change(SAMPLE_MEMORY_STAT, {
    zswap: 1048576,
    zswapped: 4194304,
    sec_pagetables: 8192,
    vmalloc: 16384,
    shmem_thp: 2097152,
    file_thp: 4194304,
  })
  t.match(numbers(renderMeminfo(viewV2(t, { ...PLAIN, '/pod/ctr/memory.stat': stat }))), {
    Zswap: 1024,
    Zswapped: 4096,
    SecPageTables: 8,
    VmallocUsed: 16,
    ShmemHugePages: 2048,
    FileHugePages: 4096,
    ShmemPmdMapped: 0,
    FilePmdMapped: 0,
  })
})

t.test('overcommit_kbytes goes before overcommit_ratio, and the memory before both', async t => {
  const commitLimit = (files: Files) =>
    numbers(renderMeminfo(viewV2(t, { ...PLAIN, ...files }))).CommitLimit
  const kbytes = 'proc/sys/vm/overcommit_kbytes'
  const ratio = 'proc/sys/vm/overcommit_ratio'
  t.equal(commitLimit({ [ratio]: '80\n' }), Math.floor(1048576 * 0.8))
  t.equal(commitLimit({ [ratio]: 'half\n' }), 524288)
  t.equal(commitLimit({ [kbytes]: '1000\n' }), 1000)
  t.equal(commitLimit({ [kbytes]: '16000000\n' }), 1048576)
  t.equal(commitLimit({ [ratio]: `${2 ** 31 - 1}\n` }), Math.floor((1048576 * (2 ** 31 - 1)) / 100))
})

t.test('a host without these knobs has their default', async t => {
  const view = viewV2(t, PLAIN)
  const bare = {
    ...view,
    hostFile(path: string) {
      if (path.startsWith('proc/sys/')) throw new Error('ENOENT')
      return view.hostFile(path)
    },
  }
  t.match(numbers(renderMeminfo(bare)), { CommitLimit: 524288 })
})

t.test('swap counts into what may be and what is committed', async t => {
  const seen = numbers(
    renderMeminfo(
      viewV2(t, {
        ...PLAIN,
        '/pod/ctr/memory.swap.max': '268435456\n',
        '/pod/ctr/memory.swap.current': '10485760\n',
      }),
    ),
  )
  t.match(seen, {
    SwapTotal: 262144,
    SwapFree: 251904,
    CommitLimit: 524288 + 262144,
    Committed_AS: 112640 + 10240,
  })
})

t.test('a limit on huge pages', async t => {
  const pages = (files: Files) => numbers(renderMeminfo(viewV2(t, { ...PLAIN, ...files })))
  t.match(
    pages({ '/pod/ctr/hugetlb.2MB.max': '8388608\n', '/pod/ctr/hugetlb.2MB.current': '2097152\n' }),
    {
      HugePages_Total: 4,
      HugePages_Free: 3,
      HugePages_Rsvd: 0,
      HugePages_Surp: 0,
      Hugepagesize: 2048,
      Hugetlb: 8192,
    },
  )
  t.match(
    pages({ '/pod/ctr/hugetlb.2MB.max': '1073741824\n', '/pod/ctr/hugetlb.2MB.current': '0\n' }),
    { HugePages_Total: 8, HugePages_Free: 6, HugePages_Rsvd: 0, Hugetlb: 16384 },
    "is no more than the host's",
  )
  t.match(
    pages({ '/pod/ctr/hugetlb.2MB.max': '0\n', '/pod/ctr/hugetlb.2MB.current': '2097152\n' }),
    { HugePages_Total: 0, HugePages_Free: 0, Hugetlb: 0 },
  )
  t.match(
    pages({ '/pod/ctr/hugetlb.2MB.max': 'max\n', '/pod/ctr/hugetlb.1GB.max': '0\n' }),
    { HugePages_Total: 8, HugePages_Free: 6, HugePages_Rsvd: 1, Hugetlb: 16384 },
    'of another size says nothing',
  )
})

t.test('a file that is cut off, padded or without its last newline reads the same', async t => {
  const expected = renderMeminfo(viewV2(t, PLAIN))
  const padded: Files = {
    'proc/meminfo': SAMPLE_MEMINFO.replaceAll('\n', '  \n').trimEnd(),
    '/pod/ctr/memory.max': '1073741824',
    '/pod/ctr/memory.current': '314572800 ',
    '/pod/ctr/memory.stat': SAMPLE_MEMORY_STAT.replaceAll('\n', ' \n').trimEnd(),
  }
  t.equal(renderMeminfo(viewV2(t, padded)), expected)
})

t.test('garbage in a cgroup file is as no such file', async t => {
  const seen = (files: Files) => numbers(renderMeminfo(viewV2(t, { ...PLAIN, ...files })))
  for (const text of ['', '\n', '-1\n', 'NaN\n', '1e9\n', '99999999999999999999999\n']) {
    t.match(seen({ '/pod/ctr/memory.max': text }), { MemTotal: 16384000, MemFree: 16076800 }, text)
    t.equal(renderMeminfo(viewV2(t, { ...PLAIN, '/pod/ctr/memory.current': text })), SAMPLE_MEMINFO)
    const stat = SAMPLE_MEMORY_STAT.replace('anon 104857600', `anon ${text}`)
    t.match(seen({ '/pod/ctr/memory.stat': stat }), { AnonPages: 0, MemTotal: 1048576 }, text)
  }
})

t.test('a memory.stat that cannot be read leaves total and free', async t => {
  const seen = renderMeminfo(
    viewV2(t, { '/pod/ctr/memory.max': '1073741824\n', '/pod/ctr/memory.current': '314572800\n' }),
  )
  t.match(numbers(seen), { MemTotal: 1048576, MemFree: 741376, MemAvailable: 741376, Cached: 0 })
})

t.test("the host's file survives a round trip", async t => {
  t.equal(renderFields(parseFields(SAMPLE_MEMINFO)), SAMPLE_MEMINFO)
})
