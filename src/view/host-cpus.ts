/** The host's CPUs: which of them are online, and what each has done. The texts are parsed once for all containers. */

import { findCpus } from '../cgroup/cpuset.ts'
import { memoize, memoizeSample } from '../cgroup/memoize.ts'
import { type Host, orUndefined } from '../host/host.ts'
import type { HostCpus } from '../proc/cpu/counters.ts'
import { parseHostCpus } from '../proc/stat.ts'

/** Throws the system's error where the host has neither sysfs nor /proc/stat. */
export function readOnlineCpus(host: Host): readonly number[] {
  const listed = orUndefined(() => parseOnline(host.sampleBytes('sys/devices/system/cpu/online')))
  // fs/proc/stat.c has a line for each CPU that is online.
  return listed ?? numbersOf(readHostCpus(host))
}

/** NR_CPUS of the kernel, at most. */
const MOST_CPUS = 8192

/** How many CPUs are online, or may be where the host does not tell. */
export const countCpus = (host: Host): number =>
  orUndefined(() => readOnlineCpus(host).length) ?? MOST_CPUS

export const readHostCpus = (host: Host): HostCpus => parseStat(host.sampleBytes('proc/stat'))

const parseOnline = memoizeSample(findCpus)
const parseStat = memoizeSample(parseHostCpus)
const numbersOf = memoize((cpus: HostCpus) => [...cpus.keys()].sort((a, b) => a - b))
