/** Who reads which file: `checkFile` asks all of them, and `checkCpuCounts` those that compare files. */

import * as busybox from './busybox.ts'
import * as glibc from './glibc.ts'
import * as htop from './htop.ts'
import * as libuv from './libuv.ts'
import { checkNumbers } from './numbers.ts'
import * as procps from './procps.ts'
import * as prometheus from './prometheus.ts'
import * as psutil from './psutil.ts'
import { refuse } from './refusal.ts'
import * as sysstat from './sysstat.ts'

type Check = (text: string) => void

const READERS: Readonly<Record<string, readonly Check[]>> = {
  'proc/cpuinfo': [prometheus.checkCpuinfo, psutil.checkCpuinfo],
  'proc/diskstats': [
    procps.checkDiskstats,
    psutil.checkDiskstats,
    prometheus.checkDiskstats,
    busybox.checkDiskstats,
  ],
  'proc/loadavg': [
    procps.checkLoadavg,
    prometheus.checkLoadavg,
    htop.checkLoadavg,
    libuv.checkLoadavg,
    busybox.checkLoadavg,
  ],
  'proc/meminfo': [
    procps.checkMeminfo,
    psutil.checkMeminfo,
    prometheus.checkMeminfo,
    htop.checkMeminfo,
    libuv.checkMeminfo,
    busybox.checkMeminfo,
  ],
  'proc/partitions': [busybox.checkPartitions],
  'proc/pressure/cpu': [prometheus.checkPressure],
  'proc/pressure/io': [prometheus.checkPressure],
  'proc/pressure/irq': [prometheus.checkPressure],
  'proc/pressure/memory': [prometheus.checkPressure],
  'proc/slabinfo': [procps.checkSlabinfo, prometheus.checkSlabinfo],
  'proc/stat': [
    procps.checkStat,
    psutil.checkStat,
    prometheus.checkStat,
    glibc.checkStat,
    htop.checkStat,
    libuv.checkStat,
    busybox.checkStat,
  ],
  'proc/swaps': [prometheus.checkSwaps],
  'proc/uptime': [procps.checkUptime, htop.checkUptime, libuv.checkUptime, busybox.checkUptime],
  'proc/vmstat': [
    procps.checkVmstat,
    sysstat.checkVmstat,
    prometheus.checkVmstat,
    psutil.checkVmstat,
  ],
  'sys/devices/system/cpu/offline': [],
  'sys/devices/system/cpu/online': [glibc.checkOnline],
  'sys/devices/system/cpu/possible': [glibc.checkOnline],
  'sys/devices/system/cpu/present': [glibc.checkOnline],
}

/** Throws an Error that says who could not read what. */
export function checkFile(path: string, text: string): void {
  const readers = READERS[path]
  if (readers === undefined) throw new Error(`Cannot check ${path}: nobody is known to read it`)
  checkNumbers(path, text)
  for (const check of readers) check(text)
}

/** Texts by path. All who count CPUs come to the same number, whatever file they count in. */
export function checkCpuCounts(texts: ReadonlyMap<string, string>): void {
  const of = (path: string) => texts.get(path) ?? ''
  const stat = of('proc/stat')
  const cpuinfo = of('proc/cpuinfo')
  const online = of('sys/devices/system/cpu/online')
  const count = glibc.getNprocs(online, stat)
  const others: Readonly<Record<string, number>> = {
    'glibc by stat': glibc.getNprocs('', stat),
    'os.cpus()': libuv.readCpus(stat).length,
    'those who count records of cpuinfo': countRecords(cpuinfo),
  }
  for (const [who, counted] of Object.entries(others)) {
    if (counted !== count) refuse(who, `as many CPUs as online, ${count}`, String(counted))
  }
  libuv.checkModels(stat, cpuinfo)
}

/** On s390 `processor N: version = ...`, elsewhere `processor : N`. */
const countRecords = (cpuinfo: string) =>
  (cpuinfo.match(/^processor(?:\s*:\s*\d+$| \d+:)/gm) ?? []).length
