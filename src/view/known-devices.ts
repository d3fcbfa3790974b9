/**
 * A container's devices as the server knows them: from the file that a worker has written. Whoever opens diskstats or
 * partitions has them looked for again where they were found too long ago, and waits for that a short time.
 */

import type { CollectedDevices, DeviceFiles } from '../container/device-files.ts'
import type { Clock } from '../host/host.ts'
import type { ContainerDevices } from '../proc/disk/visible.ts'
import type { Init } from './devices.ts'

export const NO_DEVICES: ContainerDevices = { nodes: [], rootDisk: undefined }

/** What was found so long ago is looked for again. */
const FRESH_USEC = 10e6

/** A reader waits for a worker at most this long. A worker needs 2 ms, and 50 ms when it is to be started. */
const WAIT_USEC = 150e3

/**
 * The first reader of a registered container of which nothing is known waits longer: after an upgrade from a version that
 * wrote nothing down, a text without devices would be wrong.
 */
const FIRST_WAIT_USEC = 1e6

/** Where no worker could be asked, the next try comes after so long: a keeper listens soon after its server answers. */
const ASK_AGAIN_USEC = 20e3

export interface DeviceSource {
  read(): ContainerDevices
}

export interface DeviceFinder {
  files: Pick<DeviceFiles, 'find' | 'version'>
  clock: Pick<Clock, 'monotonicUsec'>
  /** Has a worker look for the devices. Returns at once, and false when no worker can be asked. */
  want: (init: Init) => boolean
  isAlive: (init: Init) => boolean
}

export class KnownDevices implements DeviceSource {
  readonly #finder: DeviceFinder
  readonly #init: Init
  #known: CollectedDevices | undefined
  /** Of the file that was read last. */
  #version: string | undefined
  /** Until when nobody need wait. */
  #restUsec = Number.NEGATIVE_INFINITY
  /** Since when a worker's answer is awaited; `undefined` when it is not any more. */
  #askedUsec: number | undefined
  /** When a worker was tried to be asked; +Infinity once it was. */
  #triedUsec = Number.NEGATIVE_INFINITY

  constructor(finder: DeviceFinder, init: Init) {
    this.#finder = finder
    this.#init = init
  }

  read(): ContainerDevices {
    if (this.#known === undefined) this.#look()
    return this.#known ?? NO_DEVICES
  }

  /** Whether a reader is to wait, and to ask again in a millisecond or two. */
  isAwaited(): boolean {
    const nowUsec = this.#finder.clock.monotonicUsec()
    if (nowUsec < this.#restUsec) return false
    this.#look()
    if (this.#isFresh(nowUsec)) {
      this.#rest(this.#known?.collectedUsec ?? nowUsec)
      return false
    }
    if (this.#askedUsec === undefined && this.#finder.isAlive(this.#init)) {
      this.#askedUsec = nowUsec
      this.#triedUsec = Number.NEGATIVE_INFINITY
    }
    if (this.#askedUsec !== undefined && this.#mayCome(nowUsec, this.#askedUsec)) return true
    this.#rest(nowUsec)
    return false
  }

  /** Has a worker asked that was not yet. Returns whether its answer is worth waiting for. */
  #mayCome(nowUsec: number, askedUsec: number): boolean {
    if (nowUsec - this.#triedUsec >= ASK_AGAIN_USEC) {
      this.#triedUsec = this.#finder.want(this.#init) ? Number.POSITIVE_INFINITY : nowUsec
    }
    const isFirst = this.#known === undefined && this.#init.rootMount !== undefined
    if (isFirst) return nowUsec < askedUsec + FIRST_WAIT_USEC
    return this.#triedUsec === Number.POSITIVE_INFINITY && nowUsec < askedUsec + WAIT_USEC
  }

  /** A file may be long, and a request that is held has it looked at every 2 ms: it is read where it has changed. */
  #look(): void {
    const { files } = this.#finder
    const version = files.version(this.#init)
    if (version === undefined || version === this.#version) return
    this.#version = version
    this.#known = files.find(this.#init) ?? this.#known
  }

  #isFresh(nowUsec: number): boolean {
    const { collectedUsec = Number.NEGATIVE_INFINITY, isEarly = false } = this.#known ?? {}
    if (this.#askedUsec !== undefined && collectedUsec >= this.#askedUsec) return true
    return !isEarly && nowUsec - collectedUsec < FRESH_USEC
  }

  #rest(sinceUsec: number): void {
    this.#askedUsec = undefined
    this.#restUsec = sinceUsec + FRESH_USEC
  }
}
