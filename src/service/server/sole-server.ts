/**
 * Of two servers on one connection only the one that holds a lock answers: a text that one of them began must not be
 * continued by the other. The next server gets the lock when the process that holds it has ended, however it ended.
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tryLock } from '../../sys/lock.ts'
import type { KeeperLink } from './keeper-link.ts'

/** A server that waits looks at the pipe from its keeper once in this time. */
const LOOK_MS = 20

/** An earlier server that was told to end does so within this time, or goes on with another keeper. */
const END_MS = 500

/**
 * Waits until no other server answers. Returns a descriptor that keeps other servers from answering until it is
 * closed, or `undefined` when the keeper has died meanwhile. The earlier server then starts another keeper, which
 * starts a server of its own.
 */
export function becomeSoleServer(runDirectory: string, keeper: KeeperLink): number | undefined {
  const file = `${runDirectory}/server.lock`
  for (;;) {
    const held = tryLock(file, keeper.isPending ? END_MS : LOOK_MS)
    if (held !== undefined) return held
    if (keeper.isPending) return tryLock(file, END_MS)
  }
}

/**
 * Returns how many servers the mount has had, this one included, and keeps the number in the run directory. Only the
 * sole server may call this. Where the number cannot be written, the count begins again.
 */
export function countServers(runDirectory: string, isFirst: boolean): number {
  const file = `${runDirectory}/servers`
  const count = (isFirst ? 0 : readCount(file)) + 1
  try {
    writeFileSync(file, `${count}\n`, { mode: 0o600 })
  } catch {
    rmSync(file, { force: true })
  }
  return count
}

function readCount(file: string): number {
  try {
    const count = Number(readFileSync(file, 'utf8'))
    return Number.isSafeInteger(count) ? count : 0
  } catch {
    return 0
  }
}
