/** The registered containers, in which a keeper has processes of their own put its files, and take them out. */

import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../settings.ts'
import { CommandProcess } from './command-process.ts'

export class Registered {
  readonly #host: Host
  readonly #settings: Settings
  readonly #log: Log
  #binding: CommandProcess | undefined

  constructor(host: Host, settings: Settings, log: Log) {
    this.#host = host
    this.#settings = settings
    this.#log = log
  }

  /**
   * Begins to put the files of the mount into the containers. What was begun for an earlier mount is given up: of that
   * some containers have got the files.
   */
  bind(): void {
    this.#binding?.kill()
    this.#binding = undefined
    const isNone = new Registry(this.#settings.runDirectory).ids().length === 0
    if (!isNone) this.#binding = this.#command('remount')
  }

  async stopBinding(): Promise<void> {
    await this.#binding?.stop()
  }

  /** Takes the files out of the containers. */
  async unbind(): Promise<void> {
    await this.#command('umount').done
  }

  #command(name: 'remount' | 'umount'): CommandProcess {
    return new CommandProcess(this.#host, this.#settings, this.#log, name, '--all', '--registered')
  }
}
