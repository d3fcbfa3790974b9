/** A container's disks with what they have done, from reading to reading. */

import type { DiskIo, IoReader } from '../cgroup/io.ts'
import { type Host, orUndefined } from '../host/host.ts'
import { DiskAccount, type DiskAccountState } from '../proc/disk-account.ts'
import {
  countDisks,
  type DeviceSources,
  type ListedDisk,
  listDisks,
  type VisibleDisk,
} from '../proc/disks.ts'
import type { Options } from '../proc/options.ts'
import type { Devices } from './devices.ts'

interface LastRead {
  listed: readonly ListedDisk[]
  counted: ReadonlyMap<string, DiskIo> | undefined
  disks: VisibleDisk[]
}

export class Disks {
  readonly #host: Host
  readonly #options: Readonly<Options>
  readonly #devices: Pick<Devices, 'read'>
  readonly #account: DiskAccount
  /** The devices as they were listed last, and from what. */
  #last: (DeviceSources & { disks: readonly ListedDisk[] }) | undefined
  /** And what was read of them. */
  #lastRead: LastRead | undefined

  constructor(
    host: Host,
    devices: Pick<Devices, 'read'>,
    options: Readonly<Options>,
    state?: DiskAccountState | undefined,
  ) {
    this.#host = host
    this.#options = options
    this.#devices = devices
    this.#account = new DiskAccount(options, state)
  }

  toJSON(): DiskAccountState {
    return this.#account.toJSON()
  }

  read(io: IoReader | undefined): VisibleDisk[] {
    const counted = io?.disks()
    const isNamelessToo = this.#options.openEulerEmptyNames === 'on'
    const listed = this.#list(isNamelessToo ? [...(counted?.keys() ?? [])] : [])
    const last = this.#lastRead
    if (last?.listed === listed && last.counted === counted) return last.disks
    const disks = this.#account.advance(countDisks(listed, counted))
    this.#lastRead = { listed, counted, disks }
    return disks
  }

  #list(nameless: readonly string[]): readonly ListedDisk[] {
    const { nodes, rootDisk } = this.#devices.read()
    const hostDiskstats = this.#sample('proc/diskstats')
    const hostPartitions = this.#sample('proc/partitions')
    const last = this.#last
    const isLast =
      last?.hostDiskstats === hostDiskstats &&
      last.hostPartitions === hostPartitions &&
      last.nodes === nodes &&
      last.rootDisk === rootDisk &&
      nameless.length === 0
    if (isLast) return last.disks
    const sources = { hostDiskstats, hostPartitions, nodes, rootDisk }
    const disks = listDisks(sources, nameless)
    this.#last = nameless.length === 0 ? { ...sources, disks } : undefined
    return disks
  }

  #sample(path: string): string {
    return orUndefined(() => this.#host.sample(path)) ?? ''
  }
}
