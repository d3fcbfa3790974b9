/** Of several commands that change one container's mounts the others wait: each then finds done what the first did. */

import { closeSync } from 'node:fs'
import { hash } from '../../container/identity.ts'
import { makeRunDirectory, type Settings } from '../../service/settings.ts'
import { lock } from '../../sys/lock.ts'

/** A file for each container would be one to remove: a few are shared. */
const FILES = 61
const TIMEOUT_MS = 5000

/** Runs `action` while no other process of ours works on the container. */
export function inTurn<T>(settings: Settings, id: string, action: () => T): T {
  makeRunDirectory(settings)
  const held = lock(`${settings.runDirectory}/hook.${hash(id, 0) % FILES}.lock`, TIMEOUT_MS)
  try {
    return action()
  } finally {
    closeSync(held)
  }
}
