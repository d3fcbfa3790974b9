/**
 * What ties a server to its keeper: a pipe that the keeper holds open. When it has no writer any more the keeper has
 * died, and the server starts another one, which tells it by a byte when to end.
 */

import { closeSync, readSync } from 'node:fs'
import { waitReadable } from '../../sys/fuse-device.ts'
import { sleep, tryLock } from '../../sys/lock.ts'
import type { Log } from '../../sys/log.ts'
import { openPipe } from '../../sys/pipe.ts'
import { FUSE_FD } from '../handover.ts'
import { launchKeeper } from '../launch.ts'
import type { Settings } from '../settings.ts'

const RETRY_MS = 100

/** A process that dies closes its descriptors one after the other. */
const DEATH_MS = 500

export class Control {
  readonly #settings: Settings
  readonly #adopt: readonly string[]
  readonly #log: Log
  #fd: number

  /** `adopt` are the arguments of the keeper that takes over when the one at the other end of `fd` has died. */
  constructor(fd: number, settings: Settings, adopt: readonly string[], log: Log) {
    this.#fd = fd
    this.#settings = settings
    this.#adopt = adopt
    this.#log = log
  }

  get fd(): number {
    return this.#fd
  }

  /** Whether there is something to be asked of `isToEnd`. */
  get isPending(): boolean {
    return waitReadable(this.#fd, 0) > 0
  }

  /** To be asked when `fd` can be read: whether to end. */
  isToEnd(): boolean {
    if (readSync(this.#fd, Buffer.alloc(1)) > 0) return true
    closeSync(this.#fd)
    // Of two servers that lose their keepers at once, one finds the other's new keeper here.
    const free = tryLock(`${this.#settings.runDirectory}/serve.lock`, DEATH_MS)
    if (free === undefined) return true
    closeSync(free)
    this.#log.warning('the keeper has died; another one is started')
    this.#fd = this.#startKeeper()
    return false
  }

  /** The new keeper says when its own server is ready, which then takes our place. */
  #startKeeper(): number {
    try {
      const { keeper, reader } = launchKeeper(this.#settings, this.#adopt, 'inherit', [FUSE_FD])
      keeper.on('error', error => this.#log.error(error))
      return reader
    } catch (error) {
      this.#log.error(error)
      sleep(RETRY_MS)
      // As of a keeper that ended at once: it is tried again.
      const { reader, writer } = openPipe()
      closeSync(writer)
      return reader
    }
  }
}
