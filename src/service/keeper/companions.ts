/**
 * What a keeper has running beside its server: workers for what hooks hand in, the process that watches, and the plugin of
 * NRI. No reader depends on any of them.
 */

import type { Log } from '../../sys/log.ts'
import type { Settings } from '../default-settings.ts'
import { JobSocket } from './job-socket.ts'
import { PluginProcess } from './plugin-process.ts'
import { Watching } from './watching.ts'

export class Companions {
  readonly #jobs: JobSocket
  readonly #watching: Watching
  readonly #plugin: PluginProcess
  #isServed = false

  constructor(settings: Settings, log: Log) {
    this.#jobs = new JobSocket(settings, log)
    this.#watching = new Watching(settings, log)
    this.#plugin = new PluginProcess(settings, log)
  }

  open(): void {
    this.#jobs.open()
    this.#plugin.open()
    if (this.#isServed) this.#watching.begin()
  }

  /** To be called whenever a server begins to answer: containers can be given its files. */
  served(): void {
    this.#isServed = true
    this.#watching.begin()
  }

  /** Ends them all. They may be opened again. */
  async close(): Promise<void> {
    await Promise.all([this.#jobs.close(), this.#watching.close(), this.#plugin.close()])
  }
}
