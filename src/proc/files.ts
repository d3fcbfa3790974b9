/** The files that a container sees instead of the host's. */

import { renderCpuOnline } from './cpu-online.ts'
import { renderCpuinfo } from './cpuinfo.ts'
import { renderDiskstats } from './diskstats.ts'
import { renderLoadavg } from './loadavg.ts'
import { renderMeminfo } from './meminfo.ts'
import { renderPartitions } from './partitions.ts'
import { renderStat } from './stat.ts'
import { renderSwaps } from './swaps.ts'
import { renderUptime } from './uptime.ts'
import type { View } from './view.ts'

export interface ProcFile {
  /** Where the kernel has it, without a leading slash; the same below the mount and in a container. */
  path: string
  mode: number
  render(view: View): string
}

export const FILES: readonly ProcFile[] = [
  { path: 'proc/cpuinfo', mode: 0o444, render: renderCpuinfo },
  { path: 'proc/diskstats', mode: 0o444, render: renderDiskstats },
  { path: 'proc/loadavg', mode: 0o444, render: renderLoadavg },
  { path: 'proc/meminfo', mode: 0o444, render: renderMeminfo },
  { path: 'proc/partitions', mode: 0o444, render: renderPartitions },
  { path: 'proc/stat', mode: 0o444, render: renderStat },
  { path: 'proc/swaps', mode: 0o444, render: renderSwaps },
  { path: 'proc/uptime', mode: 0o444, render: renderUptime },
  { path: 'sys/devices/system/cpu/online', mode: 0o444, render: renderCpuOnline },
]
