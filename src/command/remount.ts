/**
 * `procveil remount` puts our files into running containers, where they are missing or those of a service that is
 * gone; `procveil umount` takes them out. One container's failure does not stop the others.
 */

import { fstatSync } from 'node:fs'
import type { Container } from '../container/container.ts'
import { isAlive } from '../container/identity.ts'
import { Registry } from '../container/registry.ts'
import { splitDevice } from '../host/device-number.ts'
import { Host } from '../host/host.ts'
import { Descriptors } from '../mount/descriptors.ts'
import { detach } from '../mount/detach.ts'
import { attach } from '../mount/overlay.ts'
import { filesToBind, type Options } from '../proc/options.ts'
import { FILE_PATHS } from '../proc/paths.ts'
import { readDefaults } from '../server/config.ts'
import type { Settings } from '../server/settings.ts'
import { openOrStart } from '../server/start.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'
import { inTurn } from './turn.ts'

export interface Choice {
  all?: boolean
  containerId?: string
  /** As the service does by itself: containers out of which an operator took the files are left alone. */
  registered?: boolean
}

type Outcome = 'done' | 'ended'

/** Returns the exit status: 1 when a container failed. */
export function remount(settings: Settings, choice: Choice): number {
  const host = new Host('/', systemClock)
  const defaults = readDefaults(settings)
  return each(host, settings, choice, 'remount', 'attached', (container, registry) => {
    const { detached, ...attached } = container
    if (detached) registry.register(attached)
    bind(host, settings, defaults, attached)
  })
}

/** As `remount`. The containers stay registered: their views go on where they were when they are attached again. */
export function umount(settings: Settings, choice: Choice): number {
  const host = new Host('/', systemClock)
  return each(host, settings, choice, 'umount', 'detached', (container, registry) => {
    if (!choice.registered) registry.register({ ...container, detached: true })
    detach(host, container, FILE_PATHS)
  })
}

function bind(host: Host, settings: Settings, defaults: Options, container: Container): void {
  using opened = new Descriptors()
  const directory = opened.add(openOrStart(host, settings, `containers/${container.id}`))
  const served = { directory, device: splitDevice(fstatSync(directory).dev) }
  attach(host, container, filesToBind({ ...defaults, ...container.options }), served)
}

function each(
  host: Host,
  settings: Settings,
  choice: Choice,
  command: string,
  did: string,
  action: (container: Container, registry: Registry) => void,
): number {
  const log = new Log(command, settings.log)
  const registry = new Registry(settings.runDirectory)
  const counts = { done: 0, ended: 0, failed: 0 }
  for (const { id } of choose(registry, choice, command)) {
    try {
      counts[inTurn(settings, id, () => act(host, registry, id, choice, action))]++
    } catch (error) {
      counts.failed++
      log.error(error)
    }
  }
  const summary = [
    `${counts.done} ${did}`,
    ...(counts.ended > 0 ? [`${counts.ended} had ended`] : []),
    ...(counts.failed > 0 ? [`${counts.failed} failed`] : []),
  ].join(', ')
  log.info(summary)
  process.stdout.write(`${summary}\n`)
  return counts.failed > 0 ? 1 : 0
}

/** The container as it is registered now that nobody else works on it. */
function act(
  host: Host,
  registry: Registry,
  id: string,
  { registered }: Choice,
  action: (container: Container, registry: Registry) => void,
): Outcome {
  const container = registry.find(id)
  if (container === undefined) return 'ended'
  if (!isAlive(host, container)) {
    // Its last hook never ran.
    registry.forget(id)
    return 'ended'
  }
  if (!(registered && container.detached)) action(container, registry)
  return 'done'
}

function choose(registry: Registry, { all, containerId }: Choice, command: string) {
  if (all && containerId === undefined) return [...registry.containers()]
  if (!all && containerId !== undefined) return [registry.resolve(containerId)]
  throw new Error(`Cannot ${command}: give either --all or --container-id ID`)
}
