/** Notices a server that does not answer: it may be stopped, or in an endless loop. */

import { statfs } from 'node:fs/promises'
import type { Host } from '../host/host.ts'
import { findServed } from '../mount/served.ts'

const PERIOD_MS = 400

/** With the period this is within 2 s. A machine under load answers in much less. */
const HUNG_MS = 1200

/** Calls `hung` when a request waits for longer than a server ever takes. The function returned ends it. */
export function watch(host: Host, mountPoint: string, hung: () => void): () => void {
  const connection = findServed(host, mountPoint)?.minor
  let askedMs: number | undefined
  const timer = setInterval(() => {
    if (askedMs !== undefined) {
      if (performance.now() - askedMs < HUNG_MS) return
      askedMs = performance.now()
      hung()
    } else if (isWaiting(host, connection)) {
      askedMs = performance.now()
      const answered = () => {
        askedMs = undefined
      }
      // Answered with an error is answered.
      statfs(mountPoint).then(answered, answered)
    }
  }, PERIOD_MS)
  return () => clearInterval(timer)
}

/** The number of unanswered requests, filesystems/fuse.rst. Where fusectl is not mounted the server is asked each time. */
function isWaiting(host: Host, connection: number | undefined): boolean {
  return host.tryRead(`sys/fs/fuse/connections/${connection}/waiting`)?.trim() !== '0'
}
