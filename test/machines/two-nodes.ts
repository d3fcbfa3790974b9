/** A machine with two nodes of 8 GB: CPUs 0-3 are on the first one, and 4-7 on the other. */

import { SAMPLE_HOST } from './sample-host.ts'

export const NODES = 'sys/devices/system/node'

/** As node_read_meminfo() of drivers/base/node.c writes it. */
export const nodeMeminfo = (node: number): string => `\
Node ${node} MemTotal:        8192000 kB
Node ${node} MemFree:         4000000 kB
Node ${node} MemUsed:         4192000 kB
Node ${node} SwapCached:          512 kB
Node ${node} Active:          1835008 kB
Node ${node} Inactive:        1310720 kB
Node ${node} Active(anon):     524288 kB
Node ${node} Inactive(anon):   262144 kB
Node ${node} Active(file):    1310720 kB
Node ${node} Inactive(file):  1048576 kB
Node ${node} Unevictable:       10240 kB
Node ${node} Mlocked:            8510 kB
Node ${node} Dirty:               420 kB
Node ${node} Writeback:             6 kB
Node ${node} FilePages:       2055172 kB
Node ${node} Mapped:           256000 kB
Node ${node} AnonPages:        780288 kB
Node ${node} Shmem:             40960 kB
Node ${node} KernelStack:        6144 kB
Node ${node} PageTables:        12288 kB
Node ${node} NFS_Unstable:          0 kB
Node ${node} Bounce:                0 kB
Node ${node} WritebackTmp:          0 kB
Node ${node} KReclaimable:     150776 kB
Node ${node} Slab:             225280 kB
Node ${node} SReclaimable:     150776 kB
Node ${node} SUnreclaim:        74504 kB
Node ${node} AnonHugePages:    307200 kB
Node ${node} HugePages_Total:     4
Node ${node} HugePages_Free:      3
Node ${node} HugePages_Surp:      0
`

export const nodeVmstat = `\
nr_free_pages 1000000
nr_zone_active_anon 131072
nr_mlock 2127
numa_hit 587806350
numa_foreign 7
nr_inactive_anon 65536
nr_active_anon 131072
nr_inactive_file 262144
nr_active_file 327680
workingset_refault_file 7368429
nr_anon_pages 195072
nr_file_pages 513793
nr_kernel_stack 6144
nr_dirtied 54691969
`

export const NUMASTAT =
  'numa_hit 587806350\nnuma_miss 0\nnuma_foreign 7\ninterleave_hit 5\nlocal_node 587806350\nother_node 0\n'

const ofNode = (node: number, cpus: string, mask: string, distances: string) => ({
  [`${NODES}/node${node}/cpulist`]: `${cpus}\n`,
  [`${NODES}/node${node}/cpumap`]: `${mask}\n`,
  [`${NODES}/node${node}/distance`]: `${distances}\n`,
  [`${NODES}/node${node}/meminfo`]: nodeMeminfo(node),
  [`${NODES}/node${node}/numastat`]: NUMASTAT,
  [`${NODES}/node${node}/vmstat`]: nodeVmstat,
})

export const TWO_NODES: Readonly<Record<string, string>> = {
  ...SAMPLE_HOST,
  [`${NODES}/online`]: '0-1\n',
  [`${NODES}/possible`]: '0-7\n',
  [`${NODES}/has_cpu`]: '0-1\n',
  [`${NODES}/has_memory`]: '0-1\n',
  [`${NODES}/has_normal_memory`]: '0-1\n',
  ...ofNode(0, '0-3', '0f', '10 21'),
  ...ofNode(1, '4-7', 'f0', '21 10'),
}

export const ONE_NODE: Readonly<Record<string, string>> = {
  ...SAMPLE_HOST,
  [`${NODES}/online`]: '0\n',
  [`${NODES}/has_cpu`]: '0\n',
  [`${NODES}/has_memory`]: '0\n',
  ...ofNode(0, '0-7', 'ff', '10'),
}
