/**
 * The process of the NRI plugin, where the administrator has switched it on. What is created while it is not there gets
 * its files when it is there again.
 */

import { existsSync } from 'node:fs'
import type { Log } from '../../sys/log.ts'
import type { Settings } from '../default-settings.ts'
import { nriRules } from '../settings.ts'
import { CompanionProcess } from './companion-process.ts'

/**
 * It answers some requests a minute, which is no reason for a better compiler and its memory. The collector takes the machine for
 * a small one.
 */
const ENGINE = { BUN_JSC_forceRAMSize: '20000000', BUN_JSC_useDFGJIT: '0' }

export class PluginProcess {
  readonly #settings: Settings
  readonly #process: CompanionProcess

  constructor(settings: Settings, log: Log) {
    this.#settings = settings
    const companion = { name: 'the NRI plugin', command: ['nri'], environment: ENGINE }
    this.#process = new CompanionProcess(companion, settings, log)
  }

  /** Starts it where its rules are there. */
  open(): void {
    if (existsSync(nriRules(this.#settings))) this.#process.begin()
  }

  close(): Promise<void> {
    return this.#process.close()
  }
}
