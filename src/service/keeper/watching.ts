/**
 * Runs `procveil watch` where the configuration wants it, in a process of its own: it may have to wait for a runtime's
 * directories, and nobody waits for it.
 */

import type { Log } from '../../sys/log.ts'
import { readServiceOptions } from '../config.ts'
import type { Settings } from '../default-settings.ts'
import { CompanionProcess } from './companion-process.ts'

/** It ends in some milliseconds, unless a worker of its has to be waited for. */
const END_MS = 2000

export class Watching {
  readonly #settings: Settings
  readonly #log: Log
  readonly #process: CompanionProcess

  constructor(settings: Settings, log: Log) {
    this.#settings = settings
    this.#log = log
    const companion = {
      name: 'procveil watch',
      command: ['watch', '--of-service'],
      endMs: END_MS,
    }
    this.#process = new CompanionProcess(companion, settings, log)
  }

  /** Starts it if the configuration wants it. Does nothing while it runs. */
  begin(): void {
    if (!this.#process.isWanted && this.#isConfigured()) this.#process.begin()
  }

  #isConfigured(): boolean {
    try {
      return readServiceOptions(this.#settings).watch === 'on'
    } catch (cause) {
      this.#log.error(new Error('Cannot tell whether to watch, and does not', { cause }))
      return false
    }
  }

  /** Ends it. One that does not end is killed. */
  close(): Promise<void> {
    return this.#process.close()
  }
}
