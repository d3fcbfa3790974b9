/**
 * Notices a server that does not answer: it may be stopped, or in an endless loop. While there are no requests nothing
 * is looked at: the next one wakes us up.
 */

import { statfs } from 'node:fs/promises'
import type { Host } from '../host/host.ts'
import { findServed } from '../mount/served.ts'
import { Arrival } from '../sys/arrival.ts'

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
  const connection = findServed(host, mountPoint)?.minor
  let askedMs: number | undefined
  let quiet = 0
  const look = () => {
    if (askedMs !== undefined) {
      if (performance.now() - askedMs < HUNG_MS) return
      askedMs = performance.now()
      hung()
      return
    }
    if (quiet >= MOST_QUIET) {
      rest()
      return
    }
    quiet++
    const waiting = countWaiting(host, connection)
    if (waiting === 0) return
    if (waiting !== undefined) quiet = 0
    askedMs = performance.now()
    const answered = () => {
      askedMs = undefined
    }
    // Answered with an error is answered.
    statfs(mountPoint).then(answered, answered)
  }
  let timer: NodeJS.Timeout | undefined
  const start = () => {
    quiet = 0
    timer ??= setInterval(look, PERIOD_MS)
  }
  const arrival = new Arrival(fuse, start)
  /** One that came before we could be told of it is looked for once more. */
  const rest = () => {
    clearInterval(timer)
    timer = undefined
    arrival.arm()
    if ((countWaiting(host, connection) ?? 0) === 0) return
    arrival.disarm()
    start()
  }
  start()
  return () => {
    clearInterval(timer)
    arrival.close()
  }
}

/** Unanswered requests, filesystems/fuse.rst; `undefined` where fusectl is not mounted. */
function countWaiting(host: Host, connection: number | undefined): number | undefined {
  const text = host.tryRead(`sys/fs/fuse/connections/${connection}/waiting`)
  return text === undefined ? undefined : Number(text)
}
