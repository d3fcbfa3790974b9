/**
 * Where the kernel has the files that a container sees, without a leading slash. The paths are the same below our
 * mount. A hook needs to know no more of the files than this.
 */

export const FILE_PATHS = [
  'proc/cpuinfo',
  'proc/diskstats',
  'proc/loadavg',
  'proc/meminfo',
  'proc/partitions',
  'proc/pressure/cpu',
  'proc/pressure/io',
  'proc/pressure/irq',
  'proc/pressure/memory',
  'proc/slabinfo',
  'proc/stat',
  'proc/swaps',
  'proc/uptime',
  'proc/vmstat',
  'sys/devices/system/cpu/offline',
  'sys/devices/system/cpu/online',
  'sys/devices/system/cpu/possible',
  'sys/devices/system/cpu/present',
] as const

export type FilePath = (typeof FILE_PATHS)[number]

/** The directories of sysfs that are the container's as a whole: see sysfs/directory.ts. */
export const DIRECTORY_PATHS = ['sys/devices/system/cpu', 'sys/devices/system/node'] as const

/** For some directories a file that only servers have that serve all of the directory. */
export const DIRECTORY_MARKS: Readonly<Record<string, string>> = {
  'sys/devices/system/cpu': 'sys/devices/system/cpu/present',
  'sys/devices/system/node': 'sys/devices/system/node/online',
}

export type DirectoryPath = (typeof DIRECTORY_PATHS)[number]

/** The file that a person means by `name`, `undefined` for none of ours. */
export function findFile(name: unknown): FilePath | undefined {
  if (typeof name !== 'string' || name === '') return undefined
  const path = name.replace(/^\/+/, '')
  const spellings = [path, `proc/${path}`, `sys/devices/system/cpu/${path}`]
  return FILE_PATHS.find(file => spellings.includes(file))
}
