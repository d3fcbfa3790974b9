/**
 * Block I/O by cgroup v1: admin-guide/cgroup-v1/blkio-controller.rst. Three parts of the kernel count, each
 * only what passes through it: BFQ its disks, throttling the devices with a rule (or all, in some kernels),
 * CFQ its disks up to Linux 4.20. Buffered writes are the root cgroup's.
 */

import type { Group } from '../group.ts'
import { type BlkioValues, type DiskIo, type IoReader, NO_IO, parseBlkio } from '../io.ts'

const SETS = ['blkio.bfq.', 'blkio.throttle.', 'blkio.']

type Values = ReadonlyMap<string, BlkioValues>

export class IoV1 implements IoReader {
  readonly #group: Group

  constructor(group: Group) {
    this.#group = group
  }

  /** Of each device, the set of files that counted most of it. */
  disks(): ReadonlyMap<string, DiskIo> | undefined {
    const disks = new Map<string, DiskIo>()
    const totals = new Map<string, number>()
    let counted = false
    for (const set of SETS) {
      const serviced = this.#read(set, 'io_serviced')
      const bytes = this.#read(set, 'io_service_bytes')
      if (serviced === undefined && bytes === undefined) continue
      counted = true
      const merged = this.#read(set, 'io_merged')
      const serviceTime = this.#read(set, 'io_service_time')
      const waitTime = this.#read(set, 'io_wait_time')
      for (const device of new Set([...(serviced?.keys() ?? []), ...(bytes?.keys() ?? [])])) {
        const total = totalOf(serviced?.get(device))
        if (total <= (totals.get(device) ?? -1)) continue
        totals.set(device, total)
        disks.set(device, {
          ...countIo(serviced?.get(device), bytes?.get(device), merged?.get(device)),
          ...countTime(serviceTime?.get(device), waitTime?.get(device)),
        })
      }
    }
    return counted ? disks : undefined
  }

  /** Throttling counts without the descendants in kernels too old for its `_recursive` files. */
  #read(set: string, name: string): Values | undefined {
    const text = this.#group.read(`${set}${name}_recursive`) ?? this.#group.read(`${set}${name}`)
    return text === undefined ? undefined : parseBlkio(text)
  }
}

function totalOf(values: BlkioValues | undefined): number {
  if (values === undefined) return 0
  return Math.max(values.total, values.read + values.write + values.discard)
}

function countIo(
  serviced: BlkioValues | undefined,
  bytes: BlkioValues | undefined,
  merged: BlkioValues | undefined,
): DiskIo {
  return {
    ...NO_IO,
    reads: serviced?.read ?? 0,
    writes: serviced?.write ?? 0,
    discards: serviced?.discard ?? 0,
    readBytes: bytes?.read ?? 0,
    writeBytes: bytes?.write ?? 0,
    discardBytes: bytes?.discard ?? 0,
    readMerges: merged?.read ?? 0,
    writeMerges: merged?.write ?? 0,
    discardMerges: merged?.discard ?? 0,
  }
}

/** These files count nanoseconds. */
function countTime(
  service: BlkioValues | undefined,
  wait: BlkioValues | undefined,
): Pick<DiskIo, 'readUsec' | 'writeUsec' | 'discardUsec' | 'serviceUsec'> {
  const usec = (key: 'read' | 'write' | 'discard') =>
    Math.floor(((service?.[key] ?? 0) + (wait?.[key] ?? 0)) / 1000)
  return {
    readUsec: usec('read'),
    writeUsec: usec('write'),
    discardUsec: usec('discard'),
    serviceUsec: Math.floor(totalOf(service) / 1000),
  }
}
