/** The disks that one container sees: its devices are looked for when they are first asked for. */

import type { IoReader } from '../cgroup/io.ts'
import type { Host } from '../host/host.ts'
import type { VisibleDisk } from '../proc/disk/visible.ts'
import type { FindKept } from '../proc/kept.ts'
import type { Options } from '../proc/options.ts'
import { Devices } from './devices.ts'
import { Disks } from './disks.ts'
import { type DeviceFinder, type DeviceSource, KnownDevices } from './known-devices.ts'
import type { Subject } from './subject.ts'

interface DisksSetup {
  host: Host
  subject: Subject
  options: Readonly<Options>
  kept: FindKept
  finder: DeviceFinder | undefined
}

export class ContainerDisks {
  readonly #setup: DisksSetup
  #known: KnownDevices | undefined
  #disks: Disks | undefined

  constructor(setup: DisksSetup) {
    this.#setup = setup
  }

  /** `undefined` for a process of the host. */
  read(io: IoReader | undefined): VisibleDisk[] | undefined {
    return this.#open()?.read(io)
  }

  /** Whether the devices are looked for at this moment: see KnownDevices. */
  isAwaited(): boolean {
    return this.#openDevices()?.isAwaited() ?? false
  }

  #open(): Disks | undefined {
    if (this.#disks !== undefined) return this.#disks
    const source = this.#findSource()
    if (source === undefined) return undefined
    const { host, options, kept } = this.#setup
    this.#disks = new Disks(host, source, options, kept)
    return this.#disks
  }

  #findSource(): DeviceSource | undefined {
    const { host, subject } = this.#setup
    const { pid, startTicks, rootMount, devices } = subject
    if (devices !== undefined) return { read: () => devices }
    if (pid === undefined || startTicks === undefined) return undefined
    return this.#openDevices() ?? new Devices(host, { pid, startTicks, rootMount })
  }

  /** What the server knows of the container's devices; `undefined` where nobody finds them for it. */
  #openDevices(): KnownDevices | undefined {
    const { finder, subject } = this.#setup
    const { pid, startTicks, rootMount } = subject
    if (finder === undefined || pid === undefined || startTicks === undefined) return undefined
    this.#known ??= new KnownDevices(finder, { pid, startTicks, rootMount })
    return this.#known
  }
}
