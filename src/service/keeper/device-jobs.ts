/** Has workers look for the devices of containers. The server does not wait for them: it finds what they write. */

import type { Log } from '../../sys/log.ts'
import { type JobError, LATE, NO_WORKER } from '../../worker/messages.ts'
import { Workers } from '../../worker/workers.ts'
import type { Settings } from '../default-settings.ts'
import { Patience } from './patience.ts'

const TIMEOUT_MS = 2000

/** So many questions may wait. The server asks again for those that are dropped. */
const MOST_WANTED = 64

export class DeviceJobs {
  readonly #log: Log
  readonly #workers: Workers
  /** What is being looked for. */
  readonly #wanted = new Set<string>()
  readonly #patience = new Patience()
  #isRefused = false

  constructor(settings: Settings, log: Log, limits: ConstructorParameters<typeof Workers>[1]) {
    this.#log = log
    this.#workers = new Workers(settings, limits)
  }

  /** `input` is that of the job `devices`. Never rejects. */
  async find(input: unknown): Promise<void> {
    const key = JSON.stringify(input)
    const isKnown = this.#wanted.has(key) || this.#patience.isExhausted(key)
    if (isKnown || this.#wanted.size >= MOST_WANTED) return
    this.#wanted.add(key)
    try {
      await this.#workers.ask('devices', input, TIMEOUT_MS)
      this.#isRefused = false
      this.#patience.answered(key)
    } catch (error) {
      this.#failed(key, error as JobError)
    } finally {
      this.#wanted.delete(key)
    }
  }

  close(): Promise<void> {
    return this.#workers.close()
  }

  #failed(key: string, { message, code }: JobError): void {
    // Where no worker was free, nothing is known of this one. That may be so for long, and is said once.
    const isNew = code !== NO_WORKER || !this.#isRefused
    this.#isRefused = code === NO_WORKER
    if (isNew) this.#log.warning(`Cannot have a worker find devices: ${message}`)
    if (code === LATE) this.#patience.hung(key)
  }
}
