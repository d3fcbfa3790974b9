/** The jobs `attach` and `detach`: put our files into one running container, or take them out. */

import type { Described } from '../../container/container.ts'
import { Registry } from '../../container/registry.ts'
import { Host } from '../../host/host.ts'
import { detach as takeOut } from '../../mount/detach.ts'
import { wantsFiles } from '../../oci/annotations.ts'
import type { Options } from '../../proc/options.ts'
import { DIRECTORY_PATHS, FILE_PATHS } from '../../proc/paths.ts'
import type { Settings } from '../../service/default-settings.ts'
import { systemClock } from '../../sys/clock.ts'
import { Log } from '../../sys/log.ts'
import type { Init } from '../../view/devices.ts'
import { tellWorkers } from '../../worker/tell-workers.ts'
import { bind } from '../containers/bind.ts'
import { type Candidate, resolve } from '../containers/choose.ts'
import { withContainerLock } from '../containers/container-lock.ts'
import { forgetEnded } from '../containers/forget-ended.ts'

export interface RebindInput {
  settings: Settings
  candidate: Candidate
  /** The options of containers that have none of their own. */
  defaults: Options
  /** Whether the service does it by itself, for containers of a hook or of an earlier `remount` alone. */
  registered: boolean
  /** Whether a container that has ended is no error. */
  all: boolean
}

const ENDED = 'it has ended'
const LEFT_OUT = 'an operator took the files out'
const UNWANTED = 'its annotation io.procveil.enabled is off'

interface Context {
  host: Host
  registry: Registry
  input: RebindInput
  log: Log
}

/** Returns why the container is skipped, or nothing. */
export const attach = (input: RebindInput) =>
  rebind('remount', input, ({ detached, ...container }, { host, registry, log }) => {
    const { settings, defaults, registered, all } = input
    if (registered && detached) return LEFT_OUT
    // Who names it wants the files all the same.
    if (all && isUnwanted(input) && registry.find(container.id) === undefined) return UNWANTED
    const refuse = (error: unknown) => log.error(error)
    const context = { host, settings, registry, defaults, spare: 'unless-early', refuse } as const
    bind(context, container)
    // Whether they are found or not, the files are bound.
    const { pid, startTicks, rootMount } = container
    const init: Init = { pid, startTicks, rootMount }
    tellWorkers(settings.runDirectory, 'devices', init)
    forgetEnded(host, settings, registry, log)
    return undefined
  })

const isUnwanted = ({ candidate: { running } }: RebindInput) =>
  running !== undefined && wantsFiles(key => running.annotations[key]) === false

/** Returns why the container is skipped, or nothing. */
export const detach = (input: RebindInput) =>
  rebind('umount', input, (container, { host, registry }) => {
    if (input.registered && container.detached) return LEFT_OUT
    const known = registry.find(container.id)
    if (known !== undefined && !input.registered) {
      registry.forgetEarlier(known, registry.register({ ...container, detached: true }))
    }
    takeOut(host, container, [...DIRECTORY_PATHS, ...FILE_PATHS])
    return undefined
  })

function rebind(
  command: string,
  input: RebindInput,
  act: (container: Described, context: Context) => string | undefined,
): string | undefined {
  const { settings, candidate, all } = input
  const host = new Host('/', systemClock)
  const registry = new Registry(settings.runDirectory)
  const log = new Log(command, settings.log)
  const change = () => {
    // Only with the lock does nobody else work on the container.
    const container = resolve(host, registry, candidate, error => log.error(error))
    if (container !== undefined) return act(container, { host, registry, input, log })
    // The container has ended, and its last hook never ran.
    registry.forget(candidate.id)
    if (all) return ENDED
    throw new Error(`Cannot find a process of container ${candidate.id}: ${ENDED}`)
  }
  try {
    return withContainerLock(settings, candidate.id, change)
  } finally {
    log.close()
  }
}
