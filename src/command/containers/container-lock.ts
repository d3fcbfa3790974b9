/**
 * Commands that change the mounts of one container do so one after the other, and the second one finds done what the
 * first one did.
 */

import { closeSync } from 'node:fs'
import { hash } from '../../container/identity.ts'
import { makeRunDirectory, type Settings } from '../../service/settings.ts'
import { lock } from '../../sys/lock.ts'

/** All containers share this number of lock files: a file for each container would have to be removed again. */
const LOCK_FILES = 61
const TIMEOUT_MS = 5000

/** Runs `action` while no other process of ours works on the container. */
export function withContainerLock<T>(settings: Settings, id: string, action: () => T): T {
  makeRunDirectory(settings)
  const held = lock(`${settings.runDirectory}/hook.${hash(id, 0) % LOCK_FILES}.lock`, TIMEOUT_MS)
  try {
    return action()
  } finally {
    closeSync(held)
  }
}
