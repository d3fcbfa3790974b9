/**
 * Block I/O of a container by device, whatever its cgroups' version. Devices are whole disks, or what is
 * stacked on them (dm, md): the kernel counts per request queue, never per partition.
 */

import { parseCount } from './numbers.ts'

/** Counters since the cgroup was made, its descendants included; 0 where the kernel does not count. */
export type DiskIo = Readonly<Record<keyof typeof NO_IO, number>>

export interface IoReader {
  /** By `major:minor`; `undefined` when the kernel counts no I/O for this cgroup. */
  disks(): ReadonlyMap<string, DiskIo> | undefined
}

export const NO_IO = {
  reads: 0,
  writes: 0,
  discards: 0,
  readBytes: 0,
  writeBytes: 0,
  discardBytes: 0,
  /** Requests that became part of another one. */
  readMerges: 0,
  writeMerges: 0,
  discardMerges: 0,
  /** In queues and in the device. */
  readUsec: 0,
  writeUsec: 0,
  discardUsec: 0,
  /** In the device. */
  serviceUsec: 0,
}

const DEVICE = /^\d{1,7}:\d{1,7}$/

const STAT_KEYS: ReadonlyMap<string, keyof DiskIo> = new Map([
  ['rios', 'reads'],
  ['wios', 'writes'],
  ['dios', 'discards'],
  ['rbytes', 'readBytes'],
  ['wbytes', 'writeBytes'],
  ['dbytes', 'discardBytes'],
])

/**
 * io.stat of cgroup-v2.rst: `8:0 rbytes=1459200 wios=353 ...`, in any order and with keys we do not know.
 * Linux 5.14 and some after end no line behind a device without counters: it then names the next one too.
 */
export function parseIoStat(text: string): Map<string, DiskIo> {
  const disks = new Map<string, DiskIo>()
  for (const line of text.split('\n')) {
    let io: Record<keyof DiskIo, number> | undefined
    for (const word of line.split(' ')) {
      const equals = word.indexOf('=')
      if (equals >= 0) {
        const name = STAT_KEYS.get(word.slice(0, equals))
        if (io !== undefined && name !== undefined) {
          io[name] = parseCounter(word.slice(equals + 1)) ?? 0
        }
      } else if (DEVICE.test(word)) {
        io = { ...NO_IO }
        disks.set(word, io)
      }
    }
  }
  return disks
}

/** What a file of blkio says of one device, in the unit of that file. */
export interface BlkioValues {
  read: number
  write: number
  discard: number
  /** Includes what is neither of these. */
  total: number
}

const BLKIO_KEYS: ReadonlyMap<string, keyof BlkioValues> = new Map([
  ['Read', 'read'],
  ['Write', 'write'],
  ['Discard', 'discard'],
  ['Total', 'total'],
])

/**
 * Lines `8:0 Read 10` by device: admin-guide/cgroup-v1/blkio-controller.rst. The last line, `Total 15`, is
 * about all devices.
 */
export function parseBlkio(text: string): Map<string, BlkioValues> {
  const devices = new Map<string, BlkioValues>()
  for (const line of text.split('\n')) {
    const [device = '', key = '', number] = line.split(' ')
    const name = BLKIO_KEYS.get(key)
    const value = parseCount(number)
    if (name === undefined || value === undefined || !DEVICE.test(device)) continue
    let values = devices.get(device)
    if (values === undefined) {
      values = { read: 0, write: 0, discard: 0, total: 0 }
      devices.set(device, values)
    }
    values[name] = value
  }
  return devices
}

/** No device has counted up to 2^53: what is larger makes no sense. */
function parseCounter(text: string): number | undefined {
  const value = parseCount(text)
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined
}
