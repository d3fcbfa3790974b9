/**
 * Commands that change the mounts of one container do so one after the other, and the second one finds done what the
 * first one did.
 */

import { closeSync } from 'node:fs'
import { Slots } from '../../container/slots.ts'
import type { Settings } from '../../service/default-settings.ts'
import { makeRunDirectory } from '../../service/settings.ts'
import { tryLockByte } from '../../sys/lock.ts'

/** Whoever asks a worker waits for 5 s or more, and is to learn what the worker has waited for. */
const TIMEOUT_MS = 4000

/** Each container locks a byte of the file, which follows from a secret: nobody can choose an id to hold up another. */
const LAST_BYTE = 2 ** 52

/** Runs `action` while no other process of ours works on the container. */
export function withContainerLock<T>(settings: Settings, id: string, action: () => T): T {
  const held = tryLock(settings, id, TIMEOUT_MS)
  if (held === undefined) {
    throw new Error(
      `Cannot work on ${id}: another process of ours has done so for ${TIMEOUT_MS} ms; see procveil doctor`,
    )
  }
  return holding(held, action)
}

/** The same, but does nothing where another process works on the container. */
export function tryContainerLock(settings: Settings, id: string, action: () => void): void {
  const held = tryLock(settings, id, 0)
  if (held !== undefined) holding(held, action)
}

function holding<T>(lock: number, action: () => T): T {
  try {
    return action()
  } finally {
    closeSync(lock)
  }
}

function tryLock(settings: Settings, id: string, timeoutMs: number): number | undefined {
  makeRunDirectory(settings)
  const { runDirectory } = settings
  const byte = new Slots(runDirectory).hash(`lock ${id}`, LAST_BYTE)
  return tryLockByte(`${runDirectory}/containers.lock`, byte, timeoutMs)
}
