/** What an operator can choose about the files' content. The defaults are right for nearly everybody. */

export interface Options {
  /** Whether a CPU quota counts as a number of CPUs. */
  cpuQuota: 'on' | 'off'
  /** Whether visible CPUs are numbered from 0 or keep the host's numbers in sys/devices/system/cpu/online. */
  cpuNumbering: 'virtual' | 'real'
  /** Topology lines of cpuinfo: one core per socket, all cores in one socket, or the host's. */
  topology: 'openeuler' | 'single-socket' | 'host'
  /** How the unusable part of a CPU under a fractional quota shows in stat. */
  fractional: 'steal' | 'idle'
  /** Caps MemFree and MemAvailable at the host's, for containers without a memory limit. */
  clampFreeToHost: 'on' | 'off'
  /** SwapTotal under cgroup v1: memory+swap limit less the memory limit, or the memory+swap limit itself. */
  v1SwapTotal: 'diff' | 'memsw'
  swap: 'on' | 'off'
  uptime: 'container' | 'host'
  loadavg: 'on' | 'off'
  diskstats: 'container' | 'host'
  diskTimes: 'zero' | 'apportion'
  /** Prints devices without a node in the container's /dev with an empty name. Breaks most parsers. */
  openEulerEmptyNames: 'on' | 'off'
  slabinfo: 'empty' | 'host'
  pressure: 'on' | 'host'
}

export const DEFAULT_OPTIONS: Readonly<Options> = {
  cpuQuota: 'on',
  cpuNumbering: 'virtual',
  topology: 'openeuler',
  fractional: 'steal',
  clampFreeToHost: 'off',
  v1SwapTotal: 'diff',
  swap: 'on',
  uptime: 'container',
  loadavg: 'on',
  diskstats: 'container',
  diskTimes: 'zero',
  openEulerEmptyNames: 'off',
  slabinfo: 'empty',
  pressure: 'on',
}
