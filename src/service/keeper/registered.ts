/** The registered containers, in which a keeper has processes of their own put its files, and take them out. */

import { setTimeout as sleep } from 'node:timers/promises'
import { Registry } from '../../container/registry.ts'
import { type Host, orUndefined } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../default-settings.ts'
import { SILENT } from '../handover.ts'
import { CommandProcess } from './command-process.ts'

/** Before each try but the first. Some containers can never be bound into, so there is an end. */
const PAUSES_MS = [300, 1000, 3000]

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
    if (!isNone && !(await this.#tryBind(number))) void this.#bindAgain(number)
  }

  /** Tries again where a container failed: the mount may have been taken away meanwhile. */
  async #bindAgain(number: number): Promise<void> {
    for (const pauseMs of PAUSES_MS) {
      await sleep(pauseMs)
      if (number !== this.#number || (await this.#tryBind(number))) return
    }
  }

  /** Returns whether nothing is left to be tried. */
  async #tryBind(number: number): Promise<boolean> {
    this.#binding = this.#tryCommand('remount')
    const status = await this.#binding?.done
    // Who does not answer does so no sooner when asked again, and costs another worker.
    return number !== this.#number || status === 0 || status === SILENT
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
