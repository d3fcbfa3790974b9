/** A container's disks with what they have done, from reading to reading. */

import type { IoReader } from '../cgroup/io.ts'
import type { Host } from '../host/host.ts'
import { DiskAccount, type DiskAccountState } from '../proc/disk-account.ts'
import { type VisibleDisk, visibleDisks } from '../proc/disks.ts'
import type { Options } from '../proc/options.ts'
import type { Devices } from './devices.ts'

export class Disks {
  readonly #host: Host
  readonly #options: Readonly<Options>
  readonly #devices: Pick<Devices, 'read'>
  readonly #account: DiskAccount

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
    const { nodes, rootDisk } = this.#devices.read()
    const disks = visibleDisks({
      hostDiskstats: this.#host.tryRead('proc/diskstats') ?? '',
      hostPartitions: this.#host.tryRead('proc/partitions') ?? '',
      nodes,
      rootDisk,
      io: io?.disks(),
      options: this.#options,
    })
    return this.#account.advance(disks)
  }
}
