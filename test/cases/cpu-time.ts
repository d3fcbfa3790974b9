/** CPU time as a host and a cgroup tell it, and as a container's /proc/stat does. */

import type { Tenant } from './tenant.ts'

/** cpu.stat of a cgroup. */
export const cpuStat = (userSeconds: number, systemSeconds = 0) =>
  `usage_usec ${(userSeconds + systemSeconds) * 1e6}\nuser_usec ${userSeconds * 1e6}\nsystem_usec ${systemSeconds * 1e6}\n`

/** What H1's /proc/stat says behind the cpu lines. */
export const STAT_REST = `\
intr 2609465 0 9 0
ctxt 6685310
btime 1795412392
processes 22328
procs_running 5
procs_blocked 2
softirq 381933 0 42233 7 14368 128696 0 3 106338 0 90288
`

/** The host's /proc/stat, with the user time of each CPU in ticks. */
export const hostStat = (...busy: number[]) =>
  `cpu  0 0 0 0 0 0 0 0 0 0\n${busy
    .map((ticks, cpu) => `cpu${cpu} ${ticks} 0 0 1000000 0 0 0 0 0 0\n`)
    .join('')}${STAT_REST}`

export const cpuLines = (tenant: Tenant) => tenant.read('stat').match(/^cpu.*$/gm)
