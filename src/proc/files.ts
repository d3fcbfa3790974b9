/** The files that a container sees instead of the host's. */

import { renderCpuOffline } from './cpu-offline.ts'
import { renderCpuOnline } from './cpu-online.ts'
import { renderCpuPossible } from './cpu-possible.ts'
import { renderCpuinfo } from './cpuinfo.ts'
import { renderDiskstats } from './diskstats.ts'
import { renderLoadavg } from './loadavg.ts'
import { renderMeminfo } from './meminfo.ts'
import { renderPartitions } from './partitions.ts'
import { FILE_PATHS, type FilePath } from './paths.ts'
import { renderPressure } from './pressure.ts'
import { renderSlabinfo } from './slabinfo.ts'
import { renderStat } from './stat.ts'
import { renderSwaps } from './swaps.ts'
import { renderUptime } from './uptime.ts'
import type { View } from './view.ts'
import { renderVmstat } from './vmstat.ts'

export interface ProcFile {
  path: FilePath
  mode: number
  /** The text, or its bytes in UTF-8. */
  render(view: View): string | Buffer
}

type Row = Omit<ProcFile, 'path'>

const readable = (render: ProcFile['render']): Row => ({ mode: 0o444, render })

/** The modes are those of procfs, but nobody may set triggers in pressure/. */
const ROWS: Readonly<Record<FilePath, Row>> = {
  'proc/cpuinfo': readable(renderCpuinfo),
  'proc/diskstats': readable(renderDiskstats),
  'proc/loadavg': readable(renderLoadavg),
  'proc/meminfo': readable(renderMeminfo),
  'proc/partitions': readable(renderPartitions),
  'proc/pressure/cpu': readable(view => renderPressure(view, 'cpu')),
  'proc/pressure/io': readable(view => renderPressure(view, 'io')),
  'proc/pressure/irq': readable(view => renderPressure(view, 'irq')),
  'proc/pressure/memory': readable(view => renderPressure(view, 'memory')),
  'proc/slabinfo': { mode: 0o400, render: renderSlabinfo },
  'proc/stat': readable(renderStat),
  'proc/swaps': readable(renderSwaps),
  'proc/uptime': readable(renderUptime),
  'proc/vmstat': readable(renderVmstat),
  'sys/devices/system/cpu/offline': readable(renderCpuOffline),
  'sys/devices/system/cpu/online': readable(renderCpuOnline),
  'sys/devices/system/cpu/possible': readable(renderCpuPossible),
  // Whoever counts the CPUs that are there, and not the cpuN beside the file, is to count the same.
  'sys/devices/system/cpu/present': readable(renderCpuOnline),
}

export const FILES: readonly ProcFile[] = FILE_PATHS.map(path => ({ path, ...ROWS[path] }))
