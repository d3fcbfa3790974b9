/**
 * Of two servers on one connection only one answers: a text that one of them began must not be continued by the other.
 * The keeper, of which there is one, says whose turn it is: it knows whether the server before is gone, or was killed and
 * answers nothing more. A lock would tell the first alone.
 */

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readStartTicks } from '../../container/identity.ts'
import type { Host } from '../../host/host.ts'
import { tryLock } from '../../sys/lock.ts'
import { sleep } from '../../sys/sleep.ts'
import { isProcessDoomed } from '../doomed.ts'
import { findAnswering, writeAnswering } from '../status.ts'
import type { KeeperLink } from './keeper-link.ts'

/** An earlier server that was told to end does so within this time, or goes on with another keeper. */
const END_MS = 500
const LOOK_MS = 5

/**
 * Waits until no other server answers. Returns false when this server is to end: its successor is there already, or the
 * keeper has died while the server `beforePid` answers, which then starts another keeper.
 */
export function becomeSoleServer(
  host: Host,
  runDirectory: string,
  keeper: KeeperLink,
  beforePid: number | undefined,
): boolean {
  const word = keeper.readWord()
  if (word === 'ready') return false
  if (word === 'end') {
    if (beforePid !== undefined && !endsSoon(host, beforePid)) return false
    // The server before may have ended since its own next keeper told it to: then that keeper has a server by now.
    if (keeper.hasOtherKeeper()) return false
  }
  if (!takeLock(host, runDirectory, word === 'go')) return false
  const { pid } = process
  try {
    writeAnswering(runDirectory, { pid, startTicks: readStartTicks(host, pid) ?? 0 })
  } catch {
    // Where nothing can be written, the next server waits until END_MS is over.
  }
  return true
}

/**
 * Takes the lock of the server that answers. Where several keepers have died one after the other, their servers may
 * all find that it is their turn: one of them gets the lock. One that a doomed server has left locked is made anew.
 */
function takeLock(host: Host, runDirectory: string, isTold: boolean): boolean {
  const file = `${runDirectory}/server.lock`
  const deadline = performance.now() + END_MS
  for (;;) {
    if (tryLock(file, 0) !== undefined) return true
    const holder = findAnswering(host, runDirectory)
    if (holder !== undefined && !isProcessDoomed(host, holder)) return false
    // Without a holder that is known: it is about to write down who it is, or of a version that does not.
    if (holder !== undefined || performance.now() >= deadline) {
      if (!isTold) return false
      rmSync(file, { force: true })
    }
    sleep(LOOK_MS)
  }
}

function endsSoon(host: Host, pid: number): boolean {
  const deadline = performance.now() + END_MS
  while (!isProcessDoomed(host, pid)) {
    if (performance.now() >= deadline) return false
    sleep(LOOK_MS)
  }
  return true
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
