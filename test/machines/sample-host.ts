/** A machine for tests: 8 CPUs, 16 GB and 4 GiB of swap under Linux 6.x, and the memory of a container on it. */

const CPU_LINES = Array.from(
  { length: 8 },
  (_, cpu) => `cpu${cpu} ${1200 + cpu} 10 600 160000 50 0 20 0 0 0\n`,
).join('')

/** How the kernel ends meminfo. */
const HUGE_PAGES_AND_DIRECT_MAP = `\
HugePages_Total:       8
HugePages_Free:        6
HugePages_Rsvd:        1
HugePages_Surp:        0
Hugepagesize:       2048 kB
Hugetlb:           16384 kB
DirectMap4k:      300000 kB
DirectMap2M:    12000000 kB
DirectMap1G:     5242880 kB
`

export const SAMPLE_MEMINFO = `\
MemTotal:       16384000 kB
MemFree:         8000000 kB
MemAvailable:   12000000 kB
Buffers:          204800 kB
Cached:          3904520 kB
SwapCached:         1024 kB
Active:          3670016 kB
Inactive:        2621440 kB
Active(anon):    1048576 kB
Inactive(anon):   524288 kB
Active(file):    2621440 kB
Inactive(file):  2097152 kB
Unevictable:       20480 kB
Mlocked:           17020 kB
SwapTotal:       4194304 kB
SwapFree:        4000000 kB
Zswap:              2048 kB
Zswapped:           6144 kB
Dirty:               840 kB
Writeback:            12 kB
AnonPages:       1560576 kB
Mapped:           512000 kB
Shmem:             81920 kB
KReclaimable:     301552 kB
Slab:             450560 kB
SReclaimable:     301552 kB
SUnreclaim:       149008 kB
KernelStack:       12288 kB
PageTables:        24576 kB
SecPageTables:      2048 kB
NFS_Unstable:          0 kB
Bounce:                0 kB
WritebackTmp:          0 kB
CommitLimit:    12386304 kB
Committed_AS:     524560 kB
VmallocTotal:   34359738367 kB
VmallocUsed:       51200 kB
VmallocChunk:          0 kB
Percpu:             9216 kB
HardwareCorrupted:     0 kB
AnonHugePages:    614400 kB
ShmemHugePages:     4096 kB
ShmemPmdMapped:     2048 kB
FileHugePages:     10240 kB
FilePmdMapped:      8192 kB
CmaTotal:          65536 kB
CmaFree:           60000 kB
Unaccepted:            0 kB
Balloon:            1024 kB
${HUGE_PAGES_AND_DIRECT_MAP}`

/** In pages, what SAMPLE_MEMINFO says in kibibytes. */
export const SAMPLE_VMSTAT = `\
nr_free_pages 2000000
nr_zone_inactive_anon 131072
nr_zone_active_anon 262144
nr_zone_inactive_file 524288
nr_zone_active_file 655360
nr_zone_unevictable 5120
nr_zone_write_pending 213
nr_mlock 4255
nr_zspages 512
nr_free_cma 15000
numa_hit 1175612701
numa_miss 7
numa_local 1175612600
nr_inactive_anon 131072
nr_active_anon 262144
nr_inactive_file 524288
nr_active_file 655360
nr_unevictable 5120
nr_slab_reclaimable 75388
nr_slab_unreclaimable 37252
nr_isolated_anon 3
nr_isolated_file 5
workingset_nodes 94504
workingset_refault_anon 88
workingset_refault_file 14736859
workingset_activate_anon 17
workingset_activate_file 3897890
workingset_restore_anon 5
workingset_restore_file 6
workingset_nodereclaim 4
nr_anon_pages 390144
nr_mapped 128000
nr_file_pages 1027586
nr_dirty 210
nr_writeback 3
nr_shmem 20480
nr_shmem_hugepages 2
nr_shmem_pmdmapped 1
nr_file_hugepages 5
nr_file_pmdmapped 4
nr_anon_transparent_hugepages 300
nr_vmscan_write 11
nr_vmscan_immediate_reclaim 436285
nr_dirtied 109383938
nr_written 69863811
nr_throttled_written 19
nr_kernel_misc_reclaimable 33
nr_foll_pin_acquired 824500501
nr_foll_pin_released 824500501
nr_kernel_stack 12288
nr_page_table_pages 6144
nr_sec_page_table_pages 512
nr_iommu_pages 40
nr_swapcached 256
pgpromote_success 21
pgdemote_kswapd 31
pgdemote_direct 32
nr_dirty_threshold 1147233
nr_dirty_background_threshold 572916
nr_memmap_pages 5
nr_memmap_boot_pages 98304
pgpgin 58794905
pgpgout 277450200
pswpin 120
pswpout 48576
pgalloc_dma 4
pgalloc_normal 1297196165
allocstall_normal 13
pgskip_normal 14
pgfree 1300016985
pgactivate 67347502
pgdeactivate 32769
pglazyfree 501
pgfault 1261601994
pgmajfault 60913
pglazyfreed 502
pgrefill 503
pgreuse 88136272
pgsteal_kswapd 610
pgsteal_direct 620
pgsteal_khugepaged 630
pgscan_kswapd 710
pgscan_direct 720
pgscan_khugepaged 730
pgscan_direct_throttle 9
pgscan_anon 12
pgscan_file 2148
zone_reclaim_success 8
pginodesteal 16
slabs_scanned 17577
kswapd_inodesteal 18
pageoutrun 23
pgrotated 338283
drop_pagecache 1
drop_slab 2
oom_kill 173
numa_pte_updates 41
numa_hint_faults 42
numa_pages_migrated 43
pgmigrate_success 44
thp_migration_success 45
compact_stall 46
htlb_buddy_alloc_success 8
cma_alloc_success 47
unevictable_pgs_culled 208236
unevictable_pgs_mlocked 209065
thp_fault_alloc 50262
thp_fault_fallback 51
thp_collapse_alloc 39
thp_split_page 96
thp_swpout 52
thp_swpout_fallback 96
balloon_inflate 256
swap_ra 53
swap_ra_hit 54
zswpin 55
zswpout 56
zswpwb 57
direct_map_level2_splits 5
nr_unstable 0
`

export const SAMPLE_SLABINFO = `\
slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
dentry             81354  82425    192   21    1 : tunables    0    0    0 : slabdata   3925   3925      0
inode_cache        20000  20150    616   13    2 : tunables    0    0    0 : slabdata   1550   1550      0
`

/** What SAMPLE_HOST's /proc/stat says behind the cpu lines. */
export const SAMPLE_STAT_REST = `\
intr 2609465 0 9 0
ctxt 6685310
btime 1795412392
processes 22328
procs_running 5
procs_blocked 2
softirq 381933 0 42233 7 14368 128696 0 3 106338 0 90288
`

export const SAMPLE_HOST: Readonly<Record<string, string>> = {
  'proc/meminfo': SAMPLE_MEMINFO,
  'proc/swaps':
    'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n' +
    '/dev/sda2                               partition\t4194304\t\t194304\t\t-2\n',
  'proc/slabinfo': SAMPLE_SLABINFO,
  'proc/vmstat': SAMPLE_VMSTAT,
  'proc/sys/vm/overcommit_kbytes': '0\n',
  'proc/sys/vm/overcommit_ratio': '50\n',
  'proc/stat': `cpu  9628 80 4800 1280000 400 0 160 0 0 0\n${CPU_LINES}${SAMPLE_STAT_REST}`,
  'proc/uptime': '10000.00 78000.00\n',
  'proc/loadavg': '1.50 1.25 1.00 5/812 22328\n',
  'proc/diskstats':
    '   8       0 sda 52344 1024 4190208 30420 81233 40960 9830400 88210 0 61440 121000 0 0 0 0 3120 2370\n' +
    '   8       1 sda1 52100 1024 4186112 30400 81000 40960 9830400 88200 0 61400 118600 0 0 0 0 0 0\n' +
    '   8      16 sdb 900 0 72000 450 12 3 120 8 0 440 458 0 0 0 0 0 0\n' +
    ' 253       0 dm-0 310 0 24800 120 40 0 320 25 0 130 145 0 0 0 0 0 0\n' +
    '   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n',
  'proc/partitions':
    'major minor  #blocks  name\n\n' +
    '   8        0  268435456 sda\n' +
    '   8        1  268434432 sda1\n' +
    '   8       16  104857600 sdb\n' +
    ' 253        0    1048576 dm-0\n',
  'sys/devices/system/cpu/online': '0-7\n',
  'sys/devices/system/cpu/possible': '0-7\n',
  'sys/devices/system/cpu/present': '0-7\n',
}

/** memory.stat of a cgroup that uses 300 MiB, in the kernel's order. */
export const SAMPLE_MEMORY_STAT = `\
anon 104857600
file 157286400
kernel 34603008
kernel_stack 1048576
pagetables 2097152
sec_pagetables 0
percpu 524288
sock 0
vmalloc 0
shmem 10485760
zswap 0
zswapped 0
file_mapped 41943040
file_dirty 4096
file_writeback 8192
swapcached 0
anon_thp 2097152
file_thp 0
shmem_thp 0
inactive_anon 90177536
active_anon 25165824
inactive_file 94371840
active_file 52428800
unevictable 0
slab_reclaimable 20971520
slab_unreclaimable 10485760
slab 31457280
workingset_refault_anon 0
workingset_refault_file 13
pgfault 21722
`

/** What such a container sees of SAMPLE_HOST's memory under a limit of 1 GiB. */
export const LIMITED_MEMINFO = `\
MemTotal:        1048576 kB
MemFree:          741376 kB
MemAvailable:     905216 kB
Buffers:               0 kB
Cached:           153600 kB
SwapCached:            0 kB
Active:            75776 kB
Inactive:         180224 kB
Active(anon):      24576 kB
Inactive(anon):    88064 kB
Active(file):      51200 kB
Inactive(file):    92160 kB
Unevictable:           0 kB
Mlocked:               0 kB
SwapTotal:             0 kB
SwapFree:              0 kB
Zswap:                 0 kB
Zswapped:              0 kB
Dirty:                 4 kB
Writeback:             8 kB
AnonPages:        102400 kB
Mapped:            40960 kB
Shmem:             10240 kB
KReclaimable:      20480 kB
Slab:              30720 kB
SReclaimable:      20480 kB
SUnreclaim:        10240 kB
KernelStack:        1024 kB
PageTables:         2048 kB
SecPageTables:         0 kB
NFS_Unstable:          0 kB
Bounce:                0 kB
WritebackTmp:          0 kB
CommitLimit:      524288 kB
Committed_AS:     112640 kB
VmallocTotal:   34359738367 kB
VmallocUsed:           0 kB
VmallocChunk:          0 kB
Percpu:              512 kB
HardwareCorrupted:     0 kB
AnonHugePages:      2048 kB
ShmemHugePages:        0 kB
ShmemPmdMapped:        0 kB
FileHugePages:         0 kB
FilePmdMapped:         0 kB
CmaTotal:              0 kB
CmaFree:               0 kB
Unaccepted:            0 kB
Balloon:               0 kB
${HUGE_PAGES_AND_DIRECT_MAP}`

/** memory.stat of a v1 cgroup, measured on a real one; the first lines are without the cgroups below. */
export const SAMPLE_V1_MEMORY_STAT = `\
cache 4096
rss 8192
rss_huge 2097152
total_cache 52662272
total_rss 39366656
total_rss_huge 0
total_shmem 20971520
total_mapped_file 20971520
total_dirty 8192
total_inactive_anon 60239872
total_active_anon 16384
total_inactive_file 31637504
total_active_file 53248
`

/** A file of `key value` lines with other values, `undefined` takes a key out. */
export function change(text: string, values: Readonly<Record<string, number | undefined>>): string {
  const kept = text.split('\n').filter(line => !((line.split(' ')[0] ?? '') in values))
  const changed = Object.entries(values).filter(([, value]) => value !== undefined)
  return changed.map(([key, value]) => `${key} ${value}\n`).join('') + kept.join('\n')
}

/** Lines of meminfo as numbers by key. */
export function numbers(meminfo: string): Record<string, number> {
  const found: Record<string, number> = {}
  for (const [, key, value] of meminfo.matchAll(/^(\S+):\s+(\d+)(?: kB)?$/gm)) {
    if (key !== undefined) found[key] = Number(value)
  }
  return found
}
