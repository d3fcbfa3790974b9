/**
 * Notices a server that does not answer: it may be stopped, or in an endless loop. While there are no requests nothing
 * is looked at: the next one wakes us up.
 */

import { closeSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { type Host, orUndefined } from '../../host/host.ts'
import { findServed } from '../../mount/served.ts'
import { openDetached } from '../../sys/detached-mount.ts'
import { Arrival } from '../../sys/sigio.ts'

const PERIOD_MS = 400

/** With the period this is within 2 s. A machine under load answers in much less. */
const HUNG_MS = 1200

/** Looks without a waiting request after which we go to sleep. */
const MOST_QUIET = 5

/**
 * Calls `hung` when a request waits for longer than a server ever takes; `fuse` is /dev/fuse of the mount. The function
 * returned ends it.
 */
export function watch(host: Host, mountPoint: string, fuse: number, hung: () => void): () => void {
  const requests = new Requests(host, findServed(host, mountPoint)?.minor)
  let askedMs: number | undefined
  let quiet = 0
  let timer: NodeJS.Timeout | undefined
  const look = () => {
    if (askedMs !== undefined) {
      if (performance.now() - askedMs < HUNG_MS) return
      askedMs = performance.now()
      hung()
    } else if (requests.count() === 0) {
      if (++quiet > MOST_QUIET) rest()
    } else {
      quiet = 0
      askedMs = performance.now()
      const answered = () => {
        askedMs = undefined
      }
      // Answered with an error is answered.
      statfs(mountPoint).then(answered, answered)
    }
  }
  const start = () => {
    quiet = 0
    timer ??= setInterval(look, PERIOD_MS)
  }
  const arrival = new Arrival(fuse, start)
  const rest = () => {
    arrival.arm()
    // Of one that came before that nobody will tell us.
    if (requests.count() !== 0) {
      arrival.disarm()
      quiet = 0
      return
    }
    clearInterval(timer)
    timer = undefined
  }
  start()
  return () => {
    clearInterval(timer)
    arrival.close()
    requests.close()
  }
}

/** The unanswered requests of a connection: filesystems/fuse.rst, "Control filesystem". */
class Requests {
  readonly #host: Host
  readonly #control: number | undefined
  readonly #file: string

  /** The control file system need not be mounted anywhere. */
  constructor(host: Host, connection: number | undefined) {
    this.#host = host
    this.#control = orUndefined(() => openDetached('fusectl'))
    this.#file = `proc/self/fd/${this.#control}/${connection}/waiting`
  }

  /** `undefined` where the kernel does not tell. */
  count(): number | undefined {
    const text = this.#host.tryRead(this.#file)
    return text === undefined ? undefined : Number(text)
  }

  close(): void {
    if (this.#control !== undefined) closeSync(this.#control)
  }
}
