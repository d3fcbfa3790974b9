import { readFileSync } from 'node:fs'
import t from 'tap'
import { renderMeminfo } from '../../src/proc/meminfo.ts'
import type { View } from '../../src/proc/view.ts'
import { renderVmstat } from '../../src/proc/vmstat.ts'
import { type Files, viewOfHost, viewV1, viewV2 } from '../machines/memory-view.ts'
import {
  change,
  numbers,
  SAMPLE_MEMINFO,
  SAMPLE_MEMORY_STAT,
  SAMPLE_V1_MEMORY_STAT,
  SAMPLE_VMSTAT,
} from '../machines/sample-host.ts'

const LIMITED: Files = {
  '/pod/ctr/memory.max': '1073741824\n',
  '/pod/ctr/memory.current': '314572800\n',
  '/pod/ctr/memory.stat': SAMPLE_MEMORY_STAT,
}

const LIMITED_V1: Files = {
  '/pod/ctr/memory.limit_in_bytes': '1073741824\n',
  '/pod/ctr/memory.usage_in_bytes': '314572800\n',
  '/pod/ctr/memory.stat': SAMPLE_V1_MEMORY_STAT,
}

const textOf = (view: View) => renderVmstat(view).toString()

function counts(view: View): Record<string, number> {
  const lines = textOf(view).trimEnd().split('\n')
  return Object.fromEntries(
    lines.map(line => line.split(' ')).map(([key, count]) => [key, Number(count)]),
  )
}

const keysOf = (text: string) => text.replace(/ .*$/gm, '')

t.test("the host's lines are there, in the host's order", async t => {
  t.equal(keysOf(textOf(viewV2(t, LIMITED))), keysOf(SAMPLE_VMSTAT))
  t.equal(keysOf(textOf(viewV1(t, LIMITED_V1))), keysOf(SAMPLE_VMSTAT))
})

t.test('without a memory cgroup it is what the host has', async t => {
  t.equal(textOf(viewOfHost(t)), SAMPLE_VMSTAT)
})

/** The line of meminfo of each amount. */
const SAME: Readonly<Record<string, string>> = {
  nr_free_pages: 'MemFree',
  nr_active_anon: 'Active(anon)',
  nr_inactive_anon: 'Inactive(anon)',
  nr_zone_active_file: 'Active(file)',
  nr_inactive_file: 'Inactive(file)',
  nr_unevictable: 'Unevictable',
  nr_mlock: 'Mlocked',
  nr_anon_pages: 'AnonPages',
  nr_mapped: 'Mapped',
  nr_dirty: 'Dirty',
  nr_writeback: 'Writeback',
  nr_shmem: 'Shmem',
  nr_slab_reclaimable: 'SReclaimable',
  nr_slab_unreclaimable: 'SUnreclaim',
  nr_page_table_pages: 'PageTables',
  nr_swapcached: 'SwapCached',
}

t.test('amounts of memory are those of meminfo, in pages', async t => {
  const stat = change(SAMPLE_MEMORY_STAT, { swapcached: 2097152, unevictable: 409600 })
  const swap = {
    '/pod/ctr/memory.swap.max': '8388608\n',
    '/pod/ctr/memory.swap.current': '4194304\n',
  }
  for (const view of [
    viewV2(t, { ...LIMITED, ...swap, '/pod/ctr/memory.stat': stat }),
    viewV2(t, { ...LIMITED, '/pod/ctr/memory.max': 'max\n' }),
    viewV2(t, LIMITED, { clampFreeToHost: 'on' }),
    viewV1(t, LIMITED_V1),
  ]) {
    const meminfo = numbers(renderMeminfo(view).toString())
    const seen = counts(view)
    for (const [line, key] of Object.entries(SAME)) {
      t.equal(seen[line], Math.floor((meminfo[key] ?? 0) / 4), line)
    }
    t.equal(seen.nr_file_pages, ((meminfo.Cached ?? 0) + (meminfo.SwapCached ?? 0)) / 4)
    t.equal(seen.nr_zone_write_pending, ((meminfo.Dirty ?? 0) + (meminfo.Writeback ?? 0)) / 4)
    t.equal(seen.nr_kernel_stack, meminfo.KernelStack, 'in kibibytes')
    t.equal(seen.nr_anon_transparent_hugepages, Math.floor((meminfo.AnonHugePages ?? 0) / 2048))
  }
})

t.test('the free pages of a limit of 1 GiB, of which 300 MiB are used', async t => {
  t.equal(counts(viewV2(t, LIMITED)).nr_free_pages, 741376 / 4)
})

t.test('a page is as large as the machine has it', async t => {
  for (const pageKib of [4, 16, 64]) {
    const pages = SAMPLE_VMSTAT.replace(
      /^(nr_\S+) (\d+)/gm,
      (_, key, count) => `${key} ${Math.floor((Number(count) * 4) / pageKib)}`,
    )
    // Both files are read one after the other.
    const meminfo = SAMPLE_MEMINFO.replace(/8000000/, '6000000')
    const view = viewV2(t, { ...LIMITED, 'proc/vmstat': pages, 'proc/meminfo': meminfo })
    t.equal(counts(view).nr_free_pages, 741376 / pageKib, `${pageKib} KiB`)
  }
})

t.test('huge pages are as large as the kernel says', async t => {
  const stat = change(SAMPLE_MEMORY_STAT, { anon_thp: 8388608, shmem_thp: 4194304 })
  const files = { ...LIMITED, '/pod/ctr/memory.stat': stat }
  t.match(counts(viewV2(t, files)), { nr_anon_transparent_hugepages: 4, nr_shmem_hugepages: 2 })
  const size = { 'sys/kernel/mm/transparent_hugepage/hpage_pmd_size': '1048576\n' }
  t.match(counts(viewV2(t, { ...files, ...size })), { nr_anon_transparent_hugepages: 8 })
})

t.test('events are what memory.stat counts, and 0 where it counts none', async t => {
  const events = { pgfault: 21722, pgmajfault: 31, pgscan_kswapd: 5, pgscan_direct: 7, pgscan: 12 }
  const more = { pgrefill: 3, workingset_refault_file: 13, thp_fault_alloc: 2, zswpout: 9 }
  const stat = change(SAMPLE_MEMORY_STAT, { ...events, ...more })
  const seen = counts(viewV2(t, { ...LIMITED, '/pod/ctr/memory.stat': stat }))
  const { pgscan, ...lines } = { ...events, ...more }
  t.match(seen, lines)
  t.match(seen, { pswpin: 0, pswpout: 0, pgfree: 0, pgalloc_normal: 0, nr_dirtied: 0, swap_ra: 0 })
  t.notOk('pgscan' in seen, 'the host has no such line')
})

t.test('swap is what a newer kernel counts of the container', async t => {
  const stat = change(SAMPLE_MEMORY_STAT, { pswpin: 3, pswpout: 4 })
  t.match(counts(viewV2(t, { ...LIMITED, '/pod/ctr/memory.stat': stat })), {
    pswpin: 3,
    pswpout: 4,
  })
  const v1 = `${SAMPLE_V1_MEMORY_STAT}pswpin 1\ntotal_pswpin 3\ntotal_pswpout 4\n`
  t.match(counts(viewV1(t, { ...LIMITED_V1, '/pod/ctr/memory.stat': v1 })), {
    pswpin: 3,
    pswpout: 4,
  })
})

t.test('before Linux 6.0 all that was reclaimed counts as direct', async t => {
  const stat = change(SAMPLE_MEMORY_STAT, { pgscan: 12, pgsteal: 8 })
  const seen = counts(viewV2(t, { ...LIMITED, '/pod/ctr/memory.stat': stat }))
  t.match(seen, { pgscan_direct: 12, pgscan_kswapd: 0, pgsteal_direct: 8, pgsteal_kswapd: 0 })
})

t.test('v1 counts faults with those of the cgroups below', async t => {
  const stat = `pgfault 1\npgmajfault 2\n${SAMPLE_V1_MEMORY_STAT}total_pgpgin 90\ntotal_pgfault 5\ntotal_pgmajfault 6\n`
  const seen = counts(viewV1(t, { ...LIMITED_V1, '/pod/ctr/memory.stat': stat }))
  t.match(seen, { pgfault: 5, pgmajfault: 6, pgscan_direct: 0 })
  t.equal(seen.pgpgin, 0, 'pages that were charged are no I/O')
})

t.test('block I/O is in kibibytes, and not counted twice where devices lie on others', async t => {
  const io =
    '8:0 rbytes=2097152 wbytes=1048576\n253:0 rbytes=1048576 wbytes=0\n9:0 rbytes=512 wbytes=1\n'
  const devices =
    'Character devices:\n  8 misc\n\nBlock devices:\n  8 sd\n  9 md\n253 device-mapper\n'
  const files = { ...LIMITED, '/pod/ctr/io.stat': io }
  t.match(counts(viewV2(t, { ...files, 'proc/devices': devices })), { pgpgin: 2048, pgpgout: 1024 })
  t.match(counts(viewV2(t, files)), { pgpgin: 3072, pgpgout: 1024 }, 'md has always this number')
  t.match(counts(viewV2(t, LIMITED)), { pgpgin: 0, pgpgout: 0 })
  const v1 = '8:0 Read 4096\n8:0 Write 8192\nTotal 12288\n'
  const blkio = { '/pod/ctr/blkio.throttle.io_service_bytes_recursive': v1 }
  t.match(counts(viewV1(t, { ...LIMITED_V1, ...blkio })), { pgpgin: 4, pgpgout: 8 })
})

t.test('killed processes are those of the container', async t => {
  const events = { '/pod/ctr/memory.events': 'low 0\noom 3\noom_kill 2\noom_group_kill 0\n' }
  t.equal(counts(viewV2(t, { ...LIMITED, ...events })).oom_kill, 2)
  t.equal(counts(viewV2(t, LIMITED)).oom_kill, 0)
  const control = { '/pod/ctr/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n' }
  t.equal(counts(viewV1(t, { ...LIMITED_V1, ...control })).oom_kill, 4)
})

t.test("what is about the machine stays the host's, to the last digit", async t => {
  const vmstat = change(SAMPLE_VMSTAT, { later_event: 5, nr_later: 6 }).replace(
    'numa_hit 1175612701',
    'numa_hit 18446744073709551615',
  )
  const text = textOf(viewV2(t, { ...LIMITED, 'proc/vmstat': vmstat }))
  t.match(text, /^numa_hit 18446744073709551615$/m)
  t.match(text, /^nr_dirty_threshold 1147233$/m)
  t.match(text, /^compact_stall 46$/m)
  t.match(text, /^drop_slab 2$/m)
  t.match(text, /^numa_pte_updates 41$/m)
  t.match(text, /^later_event 0\nnr_later 0$/m, 'nobody knows what these are')
  const stat = change(SAMPLE_MEMORY_STAT, { numa_pte_updates: 3 })
  const counted = { ...LIMITED, '/pod/ctr/memory.stat': stat }
  t.equal(counts(viewV2(t, counted)).numa_pte_updates, 3, 'a newer kernel counts these')
})

t.test('an event of another container is none of this one', async t => {
  const stat = change(SAMPLE_MEMORY_STAT, { pswpin: 3, pgscan: 5 })
  t.equal(counts(viewV2(t, { ...LIMITED, '/pod/ctr/memory.stat': stat })).pgscan_direct, 5)
  t.match(counts(viewV2(t, LIMITED)), { pswpin: 0, pgscan_direct: 0 })
})

t.test('lines that are damaged, or other ones all at once', async t => {
  const meminfo = 'MemTotal: 16384000 kB\nMemFree: 8000000 kB\n'
  const other = 'nr_free_pages 2000000\nnr_free 7\nx\n\nnuma_hit\npgfault 3\noom_kill 1'
  const text = textOf(viewV2(t, { ...LIMITED, 'proc/vmstat': other, 'proc/meminfo': meminfo }))
  t.equal(text, 'nr_free_pages 185344\nnr_free 0\nx\nnuma_hit\npgfault 21722\noom_kill 0\n')
  t.equal(keysOf(textOf(viewV2(t, LIMITED))), keysOf(SAMPLE_VMSTAT))
  t.equal(textOf(viewV2(t, { ...LIMITED, 'proc/vmstat': '' })), '')
})

t.test("this machine's own lines, too", async t => {
  const vmstat = readFileSync('/proc/vmstat', 'utf8')
  const meminfo = readFileSync('/proc/meminfo', 'utf8')
  const view = viewV2(t, { ...LIMITED, 'proc/vmstat': vmstat, 'proc/meminfo': meminfo })
  t.equal(keysOf(textOf(view)), keysOf(vmstat))
})
