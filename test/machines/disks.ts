/** A host with two disks, a mapped device and an unused loop device, for tests of what containers see of them. */

import { type DiskIo, NO_IO } from '../../src/cgroup/io.ts'
import type { BlockNode } from '../../src/proc/disk/names.ts'
import {
  type ContainerDevices,
  countDisks,
  listDisks,
  parseHostDisks,
} from '../../src/proc/disk/visible.ts'
import type { Options } from '../../src/proc/options.ts'

export const HOST_DISKSTATS = `\
   8       0 sda 103349 7 5340370 1001 33874 8 10668008 1002 3 7117 712320 11 12 13 14 15 16
   8       1 sda1 100000 7 5340000 1001 33000 8 10660000 1002 0 7117 712320 11 12 13 14 15 16
   8      16 sdb 5000 0 400000 500 6000 0 480000 600 0 900 1100 0 0 0 0 0 0
 253       0 dm-0 7000 0 560000 700 8000 0 640000 800 0 1000 1500 0 0 0 0 0 0
   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
`

export const HOST_PARTITIONS = `\
major minor  #blocks  name

   8        0  268435456 sda
   8        1  268434432 sda1
   8       16  104857600 sdb
 253        0    1048576 dm-0
`

export const SDA = { major: 8, minor: 0 }
export const SDA1 = { major: 8, minor: 1 }
export const SDB = { major: 8, minor: 16 }
export const DM0 = { major: 253, minor: 0 }
export const LOOP0 = { major: 7, minor: 0 }

/** As the whole of what a container did on one disk. */
export const SDA_IO: DiskIo = {
  ...NO_IO,
  reads: 192,
  writes: 353,
  readBytes: 1459200,
  writeBytes: 314773504,
}

export const node = (
  name: string,
  device: { major: number; minor: number },
  wholeDisk: BlockNode['wholeDisk'] = undefined,
): BlockNode => ({ name, ...device, wholeDisk })

interface DiskSources extends ContainerDevices {
  /** Texts of the host's files. */
  hostDiskstats: string
  hostPartitions: string
  /** What the container's cgroup counts. */
  io: ReadonlyMap<string, DiskIo> | undefined
  options: Pick<Options, 'openEulerEmptyNames'>
}

/** As a view reads them. */
export function visibleDisks({ hostDiskstats, hostPartitions, io, options, ...own }: DiskSources) {
  const nameless = options.openEulerEmptyNames === 'on' ? io : undefined
  const host = parseHostDisks(hostDiskstats, hostPartitions)
  return countDisks(listDisks(host, own, nameless), io)
}

/** What a container without nodes sees whose root is on sda, but for `change`. */
export const disks = (change: Partial<DiskSources> = {}) =>
  visibleDisks({
    hostDiskstats: HOST_DISKSTATS,
    hostPartitions: HOST_PARTITIONS,
    nodes: [],
    rootDisk: SDA,
    io: new Map([['8:0', SDA_IO]]),
    options: { openEulerEmptyNames: 'off' },
    ...change,
  })
