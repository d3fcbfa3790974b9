/** The registered containers, in which a keeper has processes of their own put its files, and take them out. */

import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from '../../container/registry.ts'
import { type Host, orUndefined } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../default-settings.ts'
import { SILENT } from '../handover.ts'
import { CommandProcess } from './command-process.ts'

/**
 * Before each try but the first. Some containers can never be bound into, so there is an end. Where none has answered the
 * machine may be too busy, as when it starts; one that hangs costs a worker each time.
 */
const PAUSES_MS = { failed: [300, 1000, 3000], silent: [10_000, 60_000, 300_000] } as const

type Tried = 'over' | keyof typeof PAUSES_MS

export class Registered {
  readonly #host: Host
  readonly #settings: Settings
  readonly #log: Log
  #binding: CommandProcess | undefined
  /** Of the last binding that was begun, or stopped. */
  #number = 0

  constructor(host: Host, settings: Settings, log: Log) {
    this.#host = host
    this.#settings = settings
    this.#log = log
  }

  /**
   * Puts the files of the mount into the containers, and resolves when each was tried once. What was begun for an earlier
   * mount is given up: of that some containers have got the files.
   */
  async bind(): Promise<void> {
    const number = ++this.#number
    this.#binding?.kill()
    this.#binding = undefined
    const registry = new Registry(this.#settings.runDirectory)
    const isNone = orUndefined(() => registry.ids())?.length === 0
    if (isNone) return
    const tried = await this.#tryBind(number)
    if (tried !== 'over') void this.#bindAgain(number, tried)
  }

  /** Tries again where a container failed: the mount may have been taken away meanwhile. */
  async #bindAgain(number: number, first: Tried): Promise<void> {
    let tried = first
    for (let tries = 0; tried !== 'over'; tries++) {
      const pauseMs = PAUSES_MS[tried][tries]
      if (pauseMs === undefined) return
      await sleep(pauseMs, undefined, { ref: false })
      if (number !== this.#number) return
      tried = await this.#tryBind(number)
    }
  }

  /** Returns what is left to be done. */
  async #tryBind(number: number): Promise<Tried> {
    this.#binding = this.#tryCommand('remount')
    const status = await this.#binding?.done
    if (number !== this.#number || status === 0) return 'over'
    return status === SILENT ? 'silent' : 'failed'
  }

  async stopBinding(): Promise<void> {
    this.#number++
    await this.#binding?.stop()
  }

  /** Takes the files out of the containers. */
  async unbind(): Promise<void> {
    await this.#tryCommand('umount')?.done
  }

  /** Returns `undefined` when no process can be started. */
  #tryCommand(name: 'remount' | 'umount'): CommandProcess | undefined {
    const command = [name, '--all', '--registered']
    try {
      return new CommandProcess(this.#host, this.#settings, this.#log, ...command)
    } catch (error) {
      this.#log.error(error)
      return undefined
    }
  }
}
