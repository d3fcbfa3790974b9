/** A container's disks, with what it has done on them, accumulated from reading to reading. */

import type { DiskIo, IoReader } from '../cgroup/io.ts'
import { memoize } from '../cgroup/memoize.ts'
import { type Host, orUndefined } from '../host/host.ts'
import { DiskAccount } from '../proc/disk/account.ts'
import {
  countDisks,
  type ListedDisk,
  listDisks,
  parseHostDisks,
  type VisibleDisk,
} from '../proc/disk/visible.ts'
import type { FindKept } from '../proc/kept.ts'
import type { Options } from '../proc/options.ts'
import type { DeviceSource } from './known-devices.ts'

/** The host's texts are parsed once for all containers. */
const parseHost = memoize(parseHostDisks)

export class Disks {
  readonly #host: Host
  readonly #options: Readonly<Options>
  readonly #devices: Pick<DeviceSource, 'read'>
  readonly #account: DiskAccount
  readonly #advance = memoize(
    (disks: readonly ListedDisk[], counted: ReadonlyMap<string, DiskIo> | undefined) =>
      this.#account.advance(countDisks(disks, counted)),
  )

  constructor(
    host: Host,
    devices: Pick<DeviceSource, 'read'>,
    options: Readonly<Options>,
    kept?: FindKept,
  ) {
    this.#host = host
    this.#options = options
    this.#devices = devices
    this.#account = new DiskAccount(options, kept)
  }

  read(io: IoReader | undefined): VisibleDisk[] {
    const counted = io?.disks()
    const host = parseHost(this.#sample('proc/diskstats'), this.#sample('proc/partitions'))
    const nameless = this.#options.openEulerEmptyNames === 'on' ? counted : undefined
    const listed = listDisks(host, this.#devices.read(), nameless)
    return this.#advance(listed, counted)
  }

  #sample(path: string): string {
    return orUndefined(() => this.#host.sample(path)) ?? ''
  }
}
