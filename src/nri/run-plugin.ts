/** Keeps a plugin connected: to the first socket that is there, and again when the connection has ended. */

import type { Log } from '../sys/log.ts'
import { connectPlugin, type Handlers } from './connection.ts'
import { untilChanged, untilThere } from './socket-watch.ts'

/** api.DefaultSocketPath, and the same where /var/run is no link to /run. */
export const SOCKETS = ['/run/nri/nri.sock', '/var/run/nri/nri.sock']

/** Before the next connection, twice as long each time. */
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 30_000

/** A plugin that was at work for so long is connected again at once. */
const CALM_MS = 60_000

/** What goes wrong again and again is told once in this time. */
const SELDOM_MS = 60_000

/** Never returns. */
export async function runPlugin(
  sockets: readonly string[],
  handlers: Omit<Handlers, 'failed'>,
  log: Log,
): Promise<never> {
  const failed = seldom(error => log.error(error))
  for (let pauseMs = FIRST_PAUSE_MS; ; ) {
    const path = await untilThere(sockets)
    const tookMs = await connectPlugin(path, { ...handlers, failed }, log)
    if (tookMs >= CALM_MS) pauseMs = FIRST_PAUSE_MS
    await untilChanged(sockets, pauseMs)
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
  }
}

/** Returns what tells at most one error in a while. */
export function seldom(tell: (error: unknown) => void, now = () => performance.now()) {
  let toldMs = Number.NEGATIVE_INFINITY
  return (error: unknown) => {
    if (now() - toldMs < SELDOM_MS) return
    toldMs = now()
    tell(error)
  }
}
