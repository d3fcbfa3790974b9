/**
 * Takes our files off a container's own files, and the spare mounts with them. The container then sees its own ones,
 * which are those of the host.
 */

import type { Described } from '../container/container.ts'
import type { Host } from '../host/host.ts'
import { inMountNamespace } from '../sys/namespace.ts'
import { Descriptors } from './descriptors.ts'
import { openEntry, unbind } from './entry.ts'
import { takeOffSpare } from './leave-spare.ts'
import { findSpare } from './spare.ts'
import { findTarget } from './target.ts'

/**
 * Takes out `files`, in which a directory comes before the files that it lies over. Returns those that were taken out,
 * served or not: no file is touched, only the mounts that lie on it. Throws when a file cannot be taken out, after all
 * others were.
 */
export function detach(host: Host, container: Described, files: readonly string[]): string[] {
  using opened = new Descriptors()
  const entry = openEntry(host, container, opened, 'take the files out of')
  const targets = files.flatMap(file => {
    const target = findTarget(entry.mounts, entry.base, file)
    return target === undefined || target.layers === 0 ? [] : [{ ...target, file }]
  })
  const spare = findSpare(entry.mounts, entry.base)
  if (targets.length === 0 && spare === undefined) return []
  return inMountNamespace(entry.namespace, () => {
    const failures: unknown[] = []
    try {
      if (spare !== undefined) takeOffSpare(entry.root, spare)
    } catch (error) {
      failures.push(error)
    }
    const done = targets.filter(target => {
      try {
        unbind(entry.root, target)
        return true
      } catch (error) {
        failures.push(error)
        return false
      }
    })
    if (failures.length > 0) {
      throw new Error(`Cannot take all files out of ${container.id}`, { cause: failures[0] })
    }
    return done.map(target => target.file)
  })
}
