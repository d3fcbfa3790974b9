/**
 * What ties a server to its keeper: a pipe whose other end the keeper holds. When that end is closed the keeper has
 * died, and the server starts another keeper. The new keeper has a pipe of its own to this server, and says TAKEN_OVER in
 * it when this server may end. GO is the first word in the pipe of a server that is to answer.
 */

import { closeSync, readSync } from 'node:fs'
import { tryLock } from '../../sys/lock.ts'
import type { Log } from '../../sys/log.ts'
import { openPipe } from '../../sys/pipe.ts'
import { waitReadable } from '../../sys/poll.ts'
import { sleep } from '../../sys/sleep.ts'
import type { Settings } from '../default-settings.ts'
import {
  FIRST_FREE_FD,
  FUSE_FD,
  GO,
  REQUESTS_FD,
  type ServerOrders,
  TAKEN_OVER,
} from '../handover.ts'
import { launchKeeper } from '../launch.ts'

const RETRY_MS = 100

/**
 * A dead keeper's lock may become free this much later than its pipe ends: a process that dies closes its descriptors
 * one after the other.
 */
const DEATH_MS = 500

export class KeeperLink {
  readonly #settings: Settings
  readonly #orders: ServerOrders
  readonly #log: Log
  #fd: number
  #isToAnswer = false

  /**
   * `fd` is the reading end of the pipe. The next keeper gets FUSE_FD, REQUESTS_FD, and `options` of these `orders`.
   */
  constructor(fd: number, settings: Settings, orders: ServerOrders, log: Log) {
    this.#fd = fd
    this.#settings = settings
    this.#orders = orders
    this.#log = log
  }

  /** The reading end of the pipe. */
  get fd(): number {
    return this.#fd
  }

  /** Whether this server is to end, and its successor finds nothing that is not answered. */
  get isToAnswer(): boolean {
    return this.#isToAnswer
  }

  /** Waits for a word of the keeper: GO, TAKEN_OVER, or the end of the pipe, which can be read again. */
  readWord(): 'go' | 'ready' | 'end' {
    while (waitReadable(this.#fd, -1) <= 0);
    const byte = Buffer.alloc(1)
    if (readSync(this.#fd, byte) === 0) return 'end'
    return byte.toString() === GO ? 'go' : 'ready'
  }

  /** Whether another keeper serves, for a server whose own has died. */
  hasOtherKeeper(): boolean {
    const free = tryLock(`${this.#settings.runDirectory}/serve.lock`, DEATH_MS)
    if (free !== undefined) closeSync(free)
    return free === undefined
  }

  /**
   * Returns whether this server is to end, and starts another keeper when the keeper has died. May be called only when
   * `fd` can be read.
   */
  isToEnd(): boolean {
    const byte = Buffer.alloc(1)
    if (readSync(this.#fd, byte) > 0) {
      this.#isToAnswer = byte.toString() !== TAKEN_OVER
      return true
    }
    closeSync(this.#fd)
    // Two servers may lose their keepers at once: then one of them finds the other's new keeper here.
    if (this.hasOtherKeeper()) return true
    this.#log.warning('the keeper has died; another one is started')
    this.#fd = this.#startKeeper()
    return false
  }

  #startKeeper(): number {
    const { options } = this.#orders
    const [fuseFd, requestsFd] = [FIRST_FREE_FD, FIRST_FREE_FD + 1]
    const adopted = { fuseFd, requestsFd, serverPid: process.pid, options }
    const inherited = [FUSE_FD, REQUESTS_FD]
    try {
      const { keeper, reader } = launchKeeper(this.#settings, { adopted }, 'inherit', inherited)
      keeper.on('error', error => this.#log.error(error))
      return reader
    } catch (error) {
      this.#log.error(error)
      sleep(RETRY_MS)
      // A pipe without a writer looks like a keeper that has ended at once, so that another one is tried.
      const { reader, writer } = openPipe()
      closeSync(writer)
      return reader
    }
  }
}
