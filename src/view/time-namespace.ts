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
   * What the namespace of the init adds to CLOCK_BOOTTIME. It is fixed before the first process enters the namespace,
   * so it is read once. As long as it cannot be read it is 0: the container has its own age and the host's btime.
   */
  bootOffsetUsec(): number {
    this.#bootOffsetUsec ??= this.#read()
    return this.#bootOffsetUsec ?? 0
  }

  /**
   * `undefined` where the offsets are not those of the namespace that the init is in. They may be later: unshare(2) makes
   * a namespace for children alone, and since Linux 6.2 the next execve(2) moves the process itself there (fs/exec.c).
   */
  #read(): number | undefined {
    const { pid } = this.#init
    if (pid === undefined) return 0
    if (!this.#tellsOwnOffsets(pid)) return undefined
    const offset = parseBootOffset(this.#host.tryRead(`proc/${pid}/timens_offsets`) ?? '')
    // The namespace for children may be a new one by now, and the pid another process's.
    if (!this.#tellsOwnOffsets(pid)) return undefined
    return isAlive(this.#host, this.#init) ? offset : 0
  }

  /**
   * Whether timens_offsets tells of the namespace that the process is in: it has the offsets of the one for children
   * (kernel/time/namespace.c, proc_timens_show_offsets()), and no file has those of another. Most inits have one for
   * both; a captured machine has no links, and offsets only where these were the same.
   */
  #tellsOwnOffsets(pid: number): boolean {
    const own = this.#host.tryReadLink(`proc/${pid}/ns/time`)
    return own === this.#host.tryReadLink(`proc/${pid}/ns/time_for_children`)
  }
}

/** The line `boottime SECONDS NANOSECONDS` of /proc/PID/timens_offsets in microseconds; 0 without such a line. */
export function parseBootOffset(text: string): number {
  const line = /^boottime\s+(-?\d+)\s+(\d+)\s*$/m.exec(text)
  return line === null ? 0 : Number(line[1]) * 1e6 + Math.floor(Number(line[2]) / 1000)
}
