/** CPU time as a host and a cgroup tell it, and as a container's /proc/stat does. */

import { SAMPLE_STAT_REST } from '../machines/sample-host.ts'
import type { Tenant } from './tenant.ts'

/** cpu.stat of a cgroup. */
export const cpuStat = (userSeconds: number, systemSeconds = 0) =>
  `usage_usec ${(userSeconds + systemSeconds) * 1e6}\nuser_usec ${userSeconds * 1e6}\nsystem_usec ${systemSeconds * 1e6}\n`

/** The host's /proc/stat, with the user time of each CPU in ticks. */
export const hostStat = (...busy: number[]) =>
  `cpu  0 0 0 0 0 0 0 0 0 0\n${busy
    .map((ticks, cpu) => `cpu${cpu} ${ticks} 0 0 1000000 0 0 0 0 0 0\n`)
    .join('')}${SAMPLE_STAT_REST}`

export const cpuLines = (tenant: Tenant) => tenant.read('stat').match(/^cpu.*$/gm)
