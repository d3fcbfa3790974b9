/**
 * What ties a server to its keeper: a pipe from the keeper, on which it may tell the server to end. When the pipe has
 * no writer any more the keeper has died, and the server sees to it that there is another one.
 */

import { spawn } from 'node:child_process'
import { closeSync, readSync, writeSync } from 'node:fs'
import { sleep, tryLock } from '../sys/lock.ts'
import type { Log } from '../sys/log.ts'
import { openPipe } from '../sys/pipe.ts'
import { ADOPTED_READY_FD, FUSE_FD } from './descriptors.ts'
import { commandLine, type Settings } from './settings.ts'

/** Any byte is the order to end. */
const END = 'q'

const RETRY_MS = 100

/** A process that dies closes its descriptors one after the other. */
const DEATH_MS = 500

export function tellToEnd(writer: number): void {
  writeSync(writer, END)
}

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
    const { reader, writer } = openPipe()
    try {
      const args = commandLine(this.#settings, 'serve', ...this.#adopt)
      const readyFd = ['--ready-fd', String(ADOPTED_READY_FD)]
      const keeper = spawn(process.execPath, [...args, ...readyFd], {
        cwd: '/',
        detached: true,
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        stdio: ['ignore', 'ignore', 'inherit', FUSE_FD, writer],
      })
      keeper.on('error', error => this.#log.error(error))
      keeper.unref()
    } catch (error) {
      this.#log.error(error)
      sleep(RETRY_MS)
    } finally {
      closeSync(writer)
    }
    return reader
  }
}
