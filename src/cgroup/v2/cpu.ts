/** The cpu and cpuset controllers of the unified hierarchy: cgroup-v2.rst, "CPU" and "Cpuset". */

import type { Bytes } from '../../host/directory-file.ts'
import {
  type CpuBandwidth,
  type CpuQuota,
  type CpuUsage,
  type CpuUsageReader,
  DEFAULT_PERIOD_USEC,
  makeQuota,
  smallerQuota,
} from '../cpu.ts'
import { NearestCpuset } from '../cpuset.ts'
import type { Group } from '../group.ts'
import { findCount, isBlank, scanCountBytes } from '../numbers.ts'

export class CpuBandwidthV2 implements CpuBandwidth {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  quota(): CpuQuota | undefined {
    let quota: CpuQuota | undefined
    for (const level of this.#group.levels()) {
      quota = smallerQuota(quota, parseCpuMax(level.bytes('cpu.max')))
    }
    return quota
  }
}

/** Parses `QUOTA PERIOD`, in which a QUOTA of `max` is no quota. */
export function parseCpuMax(bytes: Bytes | undefined): CpuQuota | undefined {
  if (bytes === undefined) return undefined
  const { buffer, length } = bytes
  const quotaStart = skip(bytes, 0, true)
  const quotaEnd = skip(bytes, quotaStart, false)
  const quotaUsec = scanCountBytes(buffer, quotaStart, quotaEnd)
  if (quotaUsec === undefined) return undefined
  const periodStart = skip(bytes, quotaEnd, true)
  if (periodStart === length) return makeQuota(quotaUsec, DEFAULT_PERIOD_USEC)
  const periodEnd = skip(bytes, periodStart, false)
  return makeQuota(quotaUsec, scanCountBytes(buffer, periodStart, periodEnd))
}

/** The end of the blanks, or of the word, that begins at `start`. */
function skip({ buffer, length }: Bytes, start: number, blanks: boolean): number {
  let at = start
  while (at < length && isBlank(buffer[at] ?? 0) === blanks) at++
  return at
}

export class CpuUsageV2 implements CpuUsageReader {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  usage(): CpuUsage | undefined {
    return parseCpuStat(this.#group.read('cpu.stat') ?? '')
  }
}

/** `user_usec` includes the niced time, which Linux 6.13 and later also give by itself. */
export function parseCpuStat(text: string): CpuUsage | undefined {
  const userUsec = findCount(text, 'user_usec')
  const systemUsec = findCount(text, 'system_usec')
  if (userUsec === undefined || systemUsec === undefined) return undefined
  const niceUsec = Math.min(findCount(text, 'nice_usec') ?? 0, userUsec)
  return { userUsec: userUsec - niceUsec, niceUsec, systemUsec, perCpu: undefined }
}

/** Every level that has the controller enabled has this file. */
export class CpusetV2 extends NearestCpuset {
  constructor(group: Group) {
    super(group, { cpus: ['cpuset.cpus.effective'], mems: ['cpuset.mems.effective'] })
  }
}
