/**
 * What cgroups do not tell of a container's disks: counters that never decrease, also when its cgroup is made anew,
 * and, if wanted, the time that its I/O took.
 */

import type { Options } from '../options.ts'
import { DISK_FIELDS, type DiskCounters, deviceKey, mapFields } from './counters.ts'
import type { VisibleDisk } from './visible.ts'

/** What is remembered between readings by `major:minor`, as plain JSON. */
export type DiskAccountState = Readonly<Record<string, DiskRecord>>

interface DiskRecord {
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

export class DiskAccount {
  readonly #options: Pick<Options, 'diskTimes'>
  readonly #records: Map<string, DiskRecord>
  #state: DiskAccountState | undefined

  /** Goes on from a `state` that `toJSON` gave earlier since the machine's boot. */
  constructor(options: Pick<Options, 'diskTimes'>, state: DiskAccountState = {}) {
    this.#options = options
    this.#records = new Map(Object.entries(state))
  }

  /** The same object is returned until a counter changes. */
  toJSON(): DiskAccountState {
    this.#state ??= Object.fromEntries(this.#records)
    return this.#state
  }

  /** The same disks with the counters to show at this reading. */
  advance(disks: readonly VisibleDisk[]): VisibleDisk[] {
    return disks.map(disk => {
      const { counters, hostCounters } = disk
      if (counters === undefined || hostCounters === undefined) return disk
      const key = deviceKey(disk)
      const before = this.#records.get(key)
      const record: DiskRecord = { shown: counters }
      if (this.#options.diskTimes === 'apportion') {
        record.share = addShare(before?.share, counters, hostCounters)
        record.shown = withTimes(counters, hostCounters, record.share)
      }
      if (before !== undefined) record.shown = larger(record.shown, before.shown)
      if (record.share !== undefined || before?.shown !== record.shown) this.#state = undefined
      this.#records.set(key, record)
      return { ...disk, counters: record.shown }
    })
  }
}

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
