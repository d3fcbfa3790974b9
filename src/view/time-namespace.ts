/** What a container's time namespace adds to the clock of the host: time_namespaces(7). */

import { isAlive, type KnownProcess } from '../container/identity.ts'
import type { Host } from '../host/host.ts'

export class TimeNamespace {
  readonly #host: Host
  readonly #init: KnownProcess
  #bootOffsetUsec: number | undefined

  constructor(host: Host, init: KnownProcess) {
    this.#host = host
    this.#init = init
  }

  /**
   * What the namespace adds to CLOCK_BOOTTIME. It is fixed before the first process enters the namespace, so it is read
   * once.
   */
  bootOffsetUsec(): number {
    this.#bootOffsetUsec ??= this.#read()
    return this.#bootOffsetUsec
  }

  #read(): number {
    const { pid } = this.#init
    if (pid === undefined) return 0
    const offset = parseBootOffset(this.#host.tryRead(`proc/${pid}/timens_offsets`) ?? '')
    // By now the pid may be another process's.
    return isAlive(this.#host, this.#init) ? offset : 0
  }
}

/** The line `boottime SECONDS NANOSECONDS` of /proc/PID/timens_offsets in microseconds; 0 without such a line. */
export function parseBootOffset(text: string): number {
  const line = /^boottime\s+(-?\d+)\s+(\d+)\s*$/m.exec(text)
  return line === null ? 0 : Number(line[1]) * 1e6 + Math.floor(Number(line[2]) / 1000)
}
