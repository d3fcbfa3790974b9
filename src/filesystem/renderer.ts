/** The text of a file, whatever happens: a view that cannot be rendered shows the host's own. */

import type { Host } from '../host/host.ts'
import type { ProcFile } from '../proc/files.ts'
import type { View } from '../proc/view.ts'
import type { Log } from '../sys/log.ts'

const QUIET_USEC = 60e6

export class Renderer {
  readonly #host: Host
  readonly #log: Pick<Log, 'error'>
  readonly #reported = new Map<string, number>()

  constructor(host: Host, log: Pick<Log, 'error'>) {
    this.#host = host
    this.#log = log
  }

  /** Throws only when the host's own file cannot be read. */
  readonly render = (file: ProcFile, view: View | undefined): string => {
    if (view === undefined) return this.#host.read(file.path)
    try {
      return file.render(view)
    } catch (error) {
      this.#report(file.path, error)
      return this.#host.read(file.path)
    }
  }

  /** Once a minute for each file: readers come many times a second. */
  #report(path: string, cause: unknown): void {
    const now = this.#host.clock.monotonicUsec()
    if (now - (this.#reported.get(path) ?? Number.NEGATIVE_INFINITY) < QUIET_USEC) return
    this.#reported.set(path, now)
    this.#log.error(
      new Error(`Cannot render ${path} for a container; it sees the host's`, { cause }),
    )
  }
}
