/**
 * What cgroups do not tell of a container's disks: counters that never decrease, also when its cgroup is made anew,
 * and, if wanted, the time that its I/O took.
 */

import { type FindKept, type Kept, keptHere, WHAT } from '../kept.ts'
import type { Options } from '../options.ts'
import { type DeviceNumber, DISK_FIELDS, type DiskCounters, mapFields } from './counters.ts'
import type { VisibleDisk } from './visible.ts'

/** What is remembered of a disk between readings. */
export interface DiskRecord {
  /** The counters that the container saw last. */
  shown: DiskCounters
  share?: TimeShare
}

/** The time that the I/O took, in milliseconds and their fractions, and the counters up to which it is known. */
interface TimeShare {
  readMs: number
  writeMs: number
  discardMs: number
  busyMs: number
  own: DiskCounters
  host: DiskCounters
}

/** A device has a major number below 2^12 and a minor number below 2^20: include/linux/kdev_t.h. */
const MINORS = 2 ** 20

/** The number under which the counters of a disk are kept. */
export const whatOf = ({ major, minor }: DeviceNumber): number => WHAT.disk + major * MINORS + minor

export class DiskAccount {
  readonly #options: Pick<Options, 'diskTimes'>
  readonly #find: FindKept
  readonly #known = new Map<number, { kept: Kept; record: DiskRecord | undefined }>()

  /** Goes on from what an earlier account has kept since the machine's boot. */
  constructor(options: Pick<Options, 'diskTimes'>, find: FindKept = keptHere()) {
    this.#options = options
    this.#find = find
  }

  /** The same disks with the counters to show at this reading, which are kept. */
  advance(disks: readonly VisibleDisk[]): VisibleDisk[] {
    return disks.map(disk => {
      const { counters, hostCounters } = disk
      if (counters === undefined || hostCounters === undefined) return disk
      const known = this.#know(whatOf(disk))
      const before = known.record
      const record: DiskRecord = { shown: counters }
      if (this.#options.diskTimes === 'apportion') {
        record.share = addShare(before?.share, counters, hostCounters)
        record.shown = withTimes(counters, hostCounters, record.share)
      }
      if (before !== undefined) record.shown = larger(record.shown, before.shown)
      known.record = record
      if (record.share !== undefined || before?.shown !== record.shown) {
        keepRecord(known.kept, record)
      }
      return { ...disk, counters: record.shown }
    })
  }

  #know(what: number): { kept: Kept; record: DiskRecord | undefined } {
    const known = this.#known.get(what)
    if (known !== undefined) return known
    const kept = this.#find(what)
    const found = { kept, record: readRecord(kept) }
    this.#known.set(what, found)
    return found
  }
}

/** The numbers that are kept: the counters that were shown, and where there is a share, that too. */
const SHARE_FIELDS = ['readMs', 'writeMs', 'discardMs', 'busyMs'] as const
const SHOWN_NUMBERS = DISK_FIELDS.length
const SHARE_NUMBERS = SHARE_FIELDS.length + 2 * DISK_FIELDS.length
const numbers = new Float64Array(SHOWN_NUMBERS + SHARE_NUMBERS)

export function keepRecord(kept: Kept, { shown, share }: DiskRecord): void {
  let at = 0
  for (const field of DISK_FIELDS) numbers[at++] = shown[field]
  if (share !== undefined) {
    for (const field of SHARE_FIELDS) numbers[at++] = share[field]
    for (const field of DISK_FIELDS) numbers[at++] = share.own[field]
    for (const field of DISK_FIELDS) numbers[at++] = share.host[field]
  }
  kept.store(numbers, at)
}

/** `undefined` where nothing is kept, or something else. */
function readRecord(kept: Kept): DiskRecord | undefined {
  const { count } = kept
  const hasShare = count === numbers.length
  if (!hasShare && count !== SHOWN_NUMBERS) return undefined
  kept.load(numbers)
  for (let i = 0; i < count; i++) {
    const isTime = i >= SHOWN_NUMBERS && i < SHOWN_NUMBERS + SHARE_FIELDS.length
    const number = numbers[i] as number
    if (!isCount(number) || !(isTime || Number.isInteger(number))) return undefined
  }
  const at = (start: number) => mapFields((_, i) => numbers[start + i] as number)
  const record: DiskRecord = { shown: at(0) }
  if (!hasShare) return record
  const [readMs = 0, writeMs = 0, discardMs = 0, busyMs = 0] = numbers.subarray(SHOWN_NUMBERS)
  const own = SHOWN_NUMBERS + SHARE_FIELDS.length
  const host = own + DISK_FIELDS.length
  return { ...record, share: { readMs, writeMs, discardMs, busyMs, own: at(own), host: at(host) } }
}

/** Times are fractions of milliseconds; all other numbers are whole. */
const isCount = (number: number) => number >= 0 && number <= Number.MAX_SAFE_INTEGER

/**
 * A request of the container is taken to have lasted, between two readings, as long as the average one on that device.
 */
function addShare(before: TimeShare | undefined, own: DiskCounters, host: DiskCounters): TimeShare {
  if (before === undefined) return { readMs: 0, writeMs: 0, discardMs: 0, busyMs: 0, own, host }
  const part = (hostMs: number, ownCount: number, hostCount: number) =>
    hostMs > 0 && ownCount > 0 && hostCount > 0 ? hostMs * Math.min(ownCount / hostCount, 1) : 0
  const since = (field: keyof DiskCounters) => ({
    own: own[field] - before.own[field],
    host: host[field] - before.host[field],
  })
  const reads = since('reads')
  const writes = since('writes')
  const discards = since('discards')
  const ownCount = reads.own + writes.own + discards.own
  const hostCount = reads.host + writes.host + discards.host
  return {
    readMs: before.readMs + part(since('readMs').host, reads.own, reads.host),
    writeMs: before.writeMs + part(since('writeMs').host, writes.own, writes.host),
    discardMs: before.discardMs + part(since('discardMs').host, discards.own, discards.host),
    busyMs: before.busyMs + part(since('busyMs').host, ownCount, hostCount),
    own,
    host,
  }
}

/** Times that the cgroup counts itself, as v1 does under some schedulers, are better than a share. */
function withTimes(counters: DiskCounters, host: DiskCounters, share: TimeShare): DiskCounters {
  const pick = (field: 'readMs' | 'writeMs' | 'discardMs' | 'busyMs') =>
    Math.min(Math.max(counters[field], Math.floor(share[field])), host[field])
  const [readMs, writeMs, discardMs] = [pick('readMs'), pick('writeMs'), pick('discardMs')]
  const weightedMs = Math.min(readMs + writeMs + discardMs, host.weightedMs)
  return { ...counters, readMs, writeMs, discardMs, busyMs: pick('busyMs'), weightedMs }
}

/** The larger of each two counters; `known` itself where nothing has grown. */
function larger(now: DiskCounters, known: DiskCounters): DiskCounters {
  const hasGrown = DISK_FIELDS.some(field => now[field] > known[field])
  return hasGrown ? mapFields(field => Math.max(now[field], known[field])) : known
}
