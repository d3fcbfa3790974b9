/**
 * `procveil remount` puts our files into running containers, hooked or not, where they are missing or those of a
 * service that is gone; `procveil umount` takes them out. One container's failure does not stop the others.
 */

import type { Container } from '../container/container.ts'
import { Registry } from '../container/registry.ts'
import { Host } from '../host/host.ts'
import { detach } from '../mount/detach.ts'
import { FILE_PATHS } from '../proc/paths.ts'
import { readDefaults } from '../service/config.ts'
import type { Settings } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'
import { bind } from './containers/bind.ts'
import { type Candidate, type Choice, choose, resolve } from './containers/choose.ts'
import { withContainerLock } from './containers/container-lock.ts'
import { Tally } from './terminal/tally.ts'

export type { Choice } from './containers/choose.ts'

/** Returns why a container is skipped, or nothing. */
type Action = (container: Container, registry: Registry) => string | undefined

const ENDED = 'it has ended'
const LEFT_OUT = 'an operator took the files out'

/** Returns the exit status: 1 when a container failed. */
export function remount(settings: Settings, choice: Choice & { json?: boolean }): number {
  const host = new Host('/', systemClock)
  const log = new Log('remount', settings.log)
  const defaults = readDefaults(settings)
  return each(host, settings, choice, 'remount', 'attached', log, (container, registry) => {
    const { detached, ...attached } = container
    if (choice.registered && detached) return LEFT_OUT
    bind(host, settings, defaults, registry, attached)
    return undefined
  })
}

/** As `remount`. The containers stay registered: their views go on where they were when they are attached again. */
export function umount(settings: Settings, choice: Choice & { json?: boolean }): number {
  const host = new Host('/', systemClock)
  const log = new Log('umount', settings.log)
  return each(host, settings, choice, 'umount', 'detached', log, (container, registry) => {
    if (choice.registered && container.detached) return LEFT_OUT
    const isKnown = registry.find(container.id) !== undefined
    if (isKnown && !choice.registered) registry.register({ ...container, detached: true })
    detach(host, container, FILE_PATHS)
    return undefined
  })
}

function each(
  host: Host,
  settings: Settings,
  choice: Choice & { json?: boolean },
  command: string,
  did: string,
  log: Log,
  action: Action,
): number {
  const registry = new Registry(settings.runDirectory)
  const candidates = choose(host, registry, choice, command)
  const tally = new Tally(did, candidates.length, log, choice.json === true)
  for (const candidate of candidates) {
    tally.try(candidate.id, () =>
      withContainerLock(settings, candidate.id, () =>
        act(host, registry, candidate, !choice.all, log, action),
      ),
    )
  }
  return tally.end()
}

/** The container as it is now that nobody else works on it. */
function act(
  host: Host,
  registry: Registry,
  candidate: Candidate,
  isNamed: boolean,
  log: Log,
  action: Action,
): string | undefined {
  const container = resolve(host, registry, candidate, error => log.error(error))
  if (container !== undefined) return action(container, registry)
  // Its last hook never ran.
  registry.forget(candidate.id)
  if (isNamed) throw new Error(`Cannot find a process of container ${candidate.id}: ${ENDED}`)
  return ENDED
}
