/**
 * Where the kernel has the files that a container sees, without a leading slash; the same below our mount. A hook
 * needs no more of them than this.
 */

export const FILE_PATHS = [
  'proc/cpuinfo',
  'proc/diskstats',
  'proc/loadavg',
  'proc/meminfo',
  'proc/partitions',
  'proc/stat',
  'proc/swaps',
  'proc/uptime',
  'sys/devices/system/cpu/online',
] as const

export type FilePath = (typeof FILE_PATHS)[number]
