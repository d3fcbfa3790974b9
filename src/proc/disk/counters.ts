/** The numbers of a row of /proc/diskstats: admin-guide/iostats.rst. */

import type { DiskIo } from '../../cgroup/io.ts'

/** The numbers in the row's order. Sectors are of 512 bytes, whatever the device's own are. */
export const DISK_FIELDS = [
  'reads',
  'readMerges',
  'readSectors',
  'readMs',
  'writes',
  'writeMerges',
  'writeSectors',
  'writeMs',
  'inFlight',
  'busyMs',
  'weightedMs',
  'discards',
  'discardMerges',
  'discardSectors',
  'discardMs',
  'flushes',
  'flushMs',
] as const

type DiskField = (typeof DISK_FIELDS)[number]
export type DiskCounters = Readonly<Record<DiskField, number>>

export const NO_COUNTERS = Object.fromEntries(DISK_FIELDS.map(field => [field, 0])) as DiskCounters

/** A row's first two columns. */
export interface DeviceNumber {
  major: number
  minor: number
}

/** Text `MAJOR:MINOR`, as files of /sys and of cgroups have it. */
export const deviceKey = ({ major, minor }: DeviceNumber): string => `${major}:${minor}`

/** What a cgroup counts, as the numbers of a row. A cgroup knows of no flushes and of nothing in flight. */
export function ioCounters(io: DiskIo): DiskCounters {
  const readMs = milliseconds(io.readUsec)
  const writeMs = milliseconds(io.writeUsec)
  const discardMs = milliseconds(io.discardUsec)
  return {
    reads: io.reads,
    readMerges: io.readMerges,
    readSectors: sectors(io.readBytes),
    readMs,
    writes: io.writes,
    writeMerges: io.writeMerges,
    writeSectors: sectors(io.writeBytes),
    writeMs,
    inFlight: 0,
    busyMs: milliseconds(io.serviceUsec),
    weightedMs: readMs + writeMs + discardMs,
    discards: io.discards,
    discardMerges: io.discardMerges,
    discardSectors: sectors(io.discardBytes),
    discardMs,
    flushes: 0,
    flushMs: 0,
  }
}

export function mapFields(value: (field: DiskField, i: number) => number): DiskCounters {
  const counters = { ...NO_COUNTERS }
  DISK_FIELDS.forEach((field, i) => {
    counters[field] = value(field, i)
  })
  return counters
}

/** The words of a line that has blanks between them. */
export function words(line: string): string[] {
  const found: string[] = []
  for (let at = 0; at < line.length; ) {
    while (at < line.length && line.charCodeAt(at) <= BLANK) at++
    const start = at
    while (at < line.length && line.charCodeAt(at) > BLANK) at++
    if (at > start) found.push(line.slice(start, at))
  }
  return found
}

/** Every character up to the space is a blank, as all controls are. */
const BLANK = 32

const sectors = (bytes: number) => Math.floor(bytes / 512)
const milliseconds = (usec: number) => Math.floor(usec / 1000)
