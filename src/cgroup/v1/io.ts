/**
 * Block I/O by cgroup v1: admin-guide/cgroup-v1/blkio-controller.rst. Three parts of the kernel count, each only what
 * passes through it: BFQ its disks, throttling the devices with a rule (or all, in some kernels), CFQ its disks up to
 * Linux 4.20. Buffered writes count in the root cgroup.
 */

import type { Group } from '../group.ts'
import { type BlkioValues, type DiskIo, type IoReader, NO_IO, parseBlkio } from '../io.ts'

const SETS = ['blkio.bfq.', 'blkio.throttle.', 'blkio.']

/** The files that are read of a set, in this order. */
const FILES = [
  'io_serviced',
  'io_service_bytes',
  'io_merged',
  'io_service_time',
  'io_wait_time',
] as const

/** The texts of all sets' files, each set's in the order of `FILES`. */
type Texts = readonly (string | undefined)[]

/**
 * This many readings use the same files; then they are looked for again, as a scheduler that is loaded later adds its
 * own.
 */
const SAME_FILES = 256

export class IoV1 implements IoReader {
  readonly #group: Group
  /** Names by place in a row of all sets' files; `undefined` for a file that does not exist. */
  #names: readonly (string | undefined)[] = []
  #left = 0
  #texts: Texts = []
  #disks: ReadonlyMap<string, DiskIo> | undefined

  constructor(group: Group) {
    this.#group = group
  }

  /**
   * What the container has done on each device, by the set of files that counted most of it. The same object is
   * returned while nothing is counted.
   */
  disks(): ReadonlyMap<string, DiskIo> | undefined {
    if (this.#left-- <= 0) {
      this.#left = SAME_FILES
      this.#names = SETS.flatMap(set => FILES.map(file => this.#find(`${set}${file}`)))
    }
    const texts = this.#names.map(name => (name === undefined ? undefined : this.#group.read(name)))
    if (texts.some((text, i) => text !== this.#texts[i])) {
      this.#texts = texts
      this.#disks = parseSets(texts)
    }
    return this.#disks
  }

  /** Throttling counts without the descendants in kernels too old for its `_recursive` files. */
  #find(name: string): string | undefined {
    return [`${name}_recursive`, name].find(each => this.#group.readOnce(each) !== undefined)
  }
}

function parseSets(texts: Texts): ReadonlyMap<string, DiskIo> | undefined {
  const disks = new Map<string, DiskIo>()
  const totals = new Map<string, number>()
  let counted = false
  for (let at = 0; at < texts.length; at += FILES.length) {
    const [serviced, bytes, merged, serviceTime, waitTime] = texts
      .slice(at, at + FILES.length)
      .map(text => (text === undefined ? undefined : parseBlkio(text)))
    if (serviced === undefined && bytes === undefined) continue
    counted = true
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
