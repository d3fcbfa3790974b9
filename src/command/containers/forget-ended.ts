/**
 * Forgets containers that have ended without a word: no hook of theirs ran, and nobody watched. Whoever registers a container
 * looks at a few others, so that what is left over never grows, and nobody has to look at all of them.
 */

import { isAlive } from '../../container/identity.ts'
import { isLeft } from '../../container/own-cgroups.ts'
import type { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import type { Settings } from '../../service/default-settings.ts'
import type { Log } from '../../sys/log.ts'
import { tryContainerLock } from './container-lock.ts'

/** Each takes some 40 us. More than one is needed, or left-overs would grow where as many come as go. */
const MOST = 8

/** Never throws. A container of which a cgroup is left stays: a runtime knows it, or processes of its run on. */
export function forgetEnded(host: Host, settings: Settings, registry: Registry, log: Log): void {
  try {
    const ids = registry.ids()
    const first = Math.floor(Math.random() * ids.length)
    for (const id of [...ids.slice(first), ...ids.slice(0, first)].slice(0, MOST)) {
      if (!hasEnded(host, registry, id)) continue
      // Who has just started it again holds the lock.
      tryContainerLock(settings, id, () => {
        if (!hasEnded(host, registry, id)) return
        registry.forget(id)
        log.info(`forgot ${id}, which has ended`)
      })
    }
  } catch (cause) {
    log.error(new Error('Cannot forget containers that have ended', { cause }))
  }
}

function hasEnded(host: Host, registry: Registry, id: string): boolean {
  const container = registry.find(id)
  return container !== undefined && !isAlive(host, container) && !isLeft(host, container.cgroups)
}
