/**
 * Masks that a runtime is about to put on what a directory of ours covers. It does so after its hooks and passes over
 * what is not there, as cpuN/thermal_throttle in our directory is not. So the hook puts them below the directory: they
 * are there when it is taken out.
 */

import { fstatSync } from 'node:fs'
import { openDetachedMount } from '../sys/detached-mount.ts'
import { fileSystemType, findBeneath, moveMount, SYSFS_MAGIC } from '../sys/mount.ts'
import type { Descriptors } from './descriptors.ts'
import { unbind } from './entry.ts'

/**
 * Covers each of the directories with one that is empty and cannot be written, as runtimes do, and returns those paths.
 * Files are left to the runtime. To be called inside the container's mount namespace, where no mount on sysfs goes
 * anywhere else.
 */
export function mask(root: number, paths: readonly string[], opened: Descriptors): string[] {
  const done: string[] = []
  try {
    for (const path of paths) {
      const target = findBeneath(root, path)
      if (target === undefined) continue
      opened.add(target)
      if (fileSystemType(target, path) === SYSFS_MAGIC && fstatSync(target).isDirectory()) {
        // Before Linux 6.15 a mount that is attached nowhere cannot be cloned.
        moveMount(opened.add(openDetachedMount('tmpfs', 'ro')), target, path)
        done.push(path)
      }
    }
    return done
  } catch (error) {
    unmask(root, done)
    throw error
  }
}

/** Takes masks off again that `mask` has put there. Ignores failures: what made it necessary is reported. */
export function unmask(root: number, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      unbind(root, { path, layers: 1 })
    } catch {}
  }
}
