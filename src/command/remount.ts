/**
 * `procveil remount` puts our files into running containers, hooked or not, where the files are missing or are those
 * of a service that is gone; `procveil umount` takes them out. One container's failure does not stop the others.
 */

import type { Described } from '../container/container.ts'
import { Registry } from '../container/registry.ts'
import { Host } from '../host/host.ts'
import { detach } from '../mount/detach.ts'
import { FILE_PATHS } from '../proc/paths.ts'
import { readDefaults } from '../service/config.ts'
import type { Settings } from '../service/settings.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'
import { type BindContext, bind } from './containers/bind.ts'
import { type Choice, choose, resolve } from './containers/choose.ts'
import { withContainerLock } from './containers/container-lock.ts'
import { Tally } from './terminal/tally.ts'

export type RemountOptions = Choice & { json?: boolean }

/** One of the two commands. */
interface Command {
  name: 'remount' | 'umount'
  /** The word for success. */
  did: 'attached' | 'detached'
  /** Returns why the container is skipped, or nothing. */
  act: (container: Described, context: Omit<BindContext, 'defaults'>) => string | undefined
}

const ENDED = 'it has ended'
const LEFT_OUT = 'an operator took the files out'

/** Returns the exit status: 1 when a container failed. */
export function remount(settings: Settings, options: RemountOptions): number {
  const defaults = readDefaults(settings)
  return runForEach(settings, options, {
    name: 'remount',
    did: 'attached',
    act: ({ detached, ...container }, context) => {
      if (options.registered && detached) return LEFT_OUT
      bind({ ...context, defaults }, container)
      return undefined
    },
  })
}

/**
 * Returns the exit status: 1 when a container failed. The containers stay registered: their views go on where they
 * were when the containers are attached again.
 */
export function umount(settings: Settings, options: RemountOptions): number {
  return runForEach(settings, options, {
    name: 'umount',
    did: 'detached',
    act: (container, { host, registry }) => {
      if (options.registered && container.detached) return LEFT_OUT
      const isKnown = registry.find(container.id) !== undefined
      if (isKnown && !options.registered) registry.register({ ...container, detached: true })
      detach(host, container, FILE_PATHS)
      return undefined
    },
  })
}

function runForEach(settings: Settings, options: RemountOptions, command: Command): number {
  const host = new Host('/', systemClock)
  const log = new Log(command.name, settings.log)
  const registry = new Registry(settings.runDirectory)
  const candidates = choose(host, registry, options, command.name)
  const tally = new Tally(command.did, candidates.length, log, options.json === true)
  for (const candidate of candidates) {
    tally.try(candidate.id, () =>
      withContainerLock(settings, candidate.id, () => {
        // Only with the lock does nobody else work on the container.
        const container = resolve(host, registry, candidate, error => log.error(error))
        if (container !== undefined) return command.act(container, { host, settings, registry })
        // The container has ended, and its last hook never ran.
        registry.forget(candidate.id)
        if (options.all) return ENDED
        throw new Error(`Cannot find a process of container ${candidate.id}: ${ENDED}`)
      }),
    )
  }
  return tally.end()
}
