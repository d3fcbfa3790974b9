/** The job `meet`: looks at one container that has come, changed or gone, and sees to its files and its registration. */

import { isAlive } from '../../container/identity.ts'
import { Registry } from '../../container/registry.ts'
import { Host } from '../../host/host.ts'
import type { Options } from '../../proc/options.ts'
import { findClaims, judgeClaims, type Search } from '../../runtimes/running.ts'
import type { Settings } from '../../service/default-settings.ts'
import { systemClock } from '../../sys/clock.ts'
import { choose, processOf } from '../containers/choose.ts'
import { withContainerLock } from '../containers/container-lock.ts'
import { attach } from './rebind.ts'

export interface MeetInput {
  settings: Settings
  /** The options of containers that have none of their own. */
  defaults: Options
  id: string
  /** Where the runtime has its state. */
  search: Search
  /** What is there for as long as the runtime knows the container: a path below the host's root. */
  entry: string
}

/**
 * What became of it. It is `known` when it is registered already, as by a hook, and `unready` where it may be about to run
 * or to end: a runtime writes its state in steps.
 */
export type Met = 'attached' | 'known' | 'left out' | 'unready' | 'forgotten' | 'gone'

/** Throws when its files cannot be bound. */
export function meet({ settings, defaults, id, search, entry }: MeetInput): Met {
  const host = new Host('/', systemClock)
  const registry = new Registry(settings.runDirectory)
  const found = judgeClaims(
    host,
    findClaims(host, [{ ...search, only: id }], () => undefined),
  )
  const running = found.find(each => each.id === id)
  if (running === undefined) {
    return host.has(entry) ? 'unready' : forgetEnded(host, settings, registry, id)
  }
  const known = registry.find(id)
  if (known !== undefined && processOf(known) === processOf(running)) return 'known'
  const candidates = choose(host, registry, { all: true }, [running], 'watch')
  const candidate = candidates.find(each => each.running !== undefined)
  if (candidate === undefined) return 'left out'
  if (candidate.id !== id) return 'known'
  const skipped = attach({ settings, candidate, defaults, registered: true, all: true })
  return skipped === undefined ? 'attached' : 'left out'
}

/** What is held open of its files goes on as after its last hook: see `Views`. */
function forgetEnded(host: Host, settings: Settings, registry: Registry, id: string): Met {
  if (registry.find(id) === undefined) return 'gone'
  return withContainerLock(settings, id, () => {
    const known = registry.find(id)
    if (known === undefined) return 'gone'
    // Who has the id may be another runtime's, or be about to end.
    if (isAlive(host, known)) return 'unready'
    registry.forget(id)
    return 'forgotten'
  })
}
