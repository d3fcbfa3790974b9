/**
 * Of two servers on one connection only one answers: a text that one of them began must not be continued by the other.
 * The lock goes to the next one when the process that holds it has ended, however it ended.
 */

import { tryLock } from '../../sys/lock.ts'
import type { Control } from './keeper-link.ts'

/** How often the keeper is thought of meanwhile. */
const LOOK_MS = 20

/** For an earlier server that was told to end. When it goes on longer, it does so with another keeper. */
const LEFT_ALONE_MS = 500

/**
 * Waits until no other server answers. Returns the descriptor that says so until it is closed; `undefined` when our
 * keeper has died meanwhile: the server before us starts another one, which starts a server of its own.
 */
export function takeTurn(runDirectory: string, control: Control): number | undefined {
  const file = `${runDirectory}/server.lock`
  for (;;) {
    const held = tryLock(file, control.isPending ? LEFT_ALONE_MS : LOOK_MS)
    if (held !== undefined) return held
    if (control.isPending) return tryLock(file, LEFT_ALONE_MS)
  }
}
