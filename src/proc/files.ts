/** The files that a container sees instead of the host's. */

import { renderCpuOnline } from './cpu-online.ts'
import { renderCpuinfo } from './cpuinfo.ts'
import { renderDiskstats } from './diskstats.ts'
import { renderLoadavg } from './loadavg.ts'
import { renderMeminfo } from './meminfo.ts'
import { renderPartitions } from './partitions.ts'
import { FILE_PATHS, type FilePath } from './paths.ts'
import { renderStat } from './stat.ts'
import { renderSwaps } from './swaps.ts'
import { renderUptime } from './uptime.ts'
import type { View } from './view.ts'

export interface ProcFile {
  path: FilePath
  mode: number
  render(view: View): string
}

const RENDER: Readonly<Record<FilePath, (view: View) => string>> = {
  'proc/cpuinfo': renderCpuinfo,
  'proc/diskstats': renderDiskstats,
  'proc/loadavg': renderLoadavg,
  'proc/meminfo': renderMeminfo,
  'proc/partitions': renderPartitions,
  'proc/stat': renderStat,
  'proc/swaps': renderSwaps,
  'proc/uptime': renderUptime,
  'sys/devices/system/cpu/online': renderCpuOnline,
}

export const FILES: readonly ProcFile[] = FILE_PATHS.map(path => ({
  path,
  mode: 0o444,
  render: RENDER[path],
}))
