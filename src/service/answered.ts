/**
 * How many requests the servers of a run directory have answered. The server counts, and its keeper sees from that
 * whether the server gets on. The number lies in memory that is mapped from a file: to count is a store, no system call.
 */

import type { Log } from '../sys/log.ts'
import type { Settings } from './default-settings.ts'
import { mapInRunDirectory } from './mapped-numbers.ts'

export class Answered {
  readonly #cells: Float64Array

  /** Without a file the keeper sees that nothing is counted, as from a version that does not count. */
  constructor(settings: Pick<Settings, 'runDirectory'>, log: Log) {
    this.#cells = mapInRunDirectory(settings, 'answered', 1, log)
  }

  count(): void {
    this.#cells[0] = this.total + 1
  }

  /** Never begins anew where one server follows another. */
  get total(): number {
    return this.#cells[0] ?? 0
  }
}
