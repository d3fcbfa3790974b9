/** Registers a container and puts our files into it: what a hook and `remount` both do. */

import { existsSync, fstatSync } from 'node:fs'
import type { Described } from '../../container/container.ts'
import type { Registry } from '../../container/registry.ts'
import { splitDevice } from '../../host/device-number.ts'
import type { Host } from '../../host/host.ts'
import { attach, type Bound } from '../../mount/attach.ts'
import { Descriptors } from '../../mount/descriptors.ts'
import type { SpareChoice } from '../../mount/spare.ts'
import { filesToBind, type Options } from '../../proc/options.ts'
import { DIRECTORY_MARKS } from '../../proc/paths.ts'
import type { Settings } from '../../service/default-settings.ts'
import { openOrStart } from '../../service/start.ts'

export interface BindContext {
  host: Host
  settings: Settings
  registry: Registry
  /** Options of containers that have none of their own. */
  defaults: Options
  /** When spare mounts may be left in a container whose option `nestedMounts` wants them. */
  spare: SpareChoice
  /** Gets the error of an option that cannot be used. What it throws undoes everything. */
  refuse: (error: unknown) => void
  /** What the runtime masks after its hooks. */
  masks?: readonly string[]
}

/** Throws when the files cannot be bound. Then no mount and no registration is left that was not there before. */
export function bind(
  { host, settings, registry, defaults, spare, refuse, masks = [] }: BindContext,
  described: Described,
): Bound {
  const earlier = registry.find(described.id)
  const container = registry.register(described)
  let bound: Bound
  try {
    using opened = new Descriptors()
    const directory = opened.add(openOrStart(host, settings, `containers/${container.id}`))
    const device = splitDevice(fstatSync(directory).dev)
    const served = { mountPoint: settings.mountPoint, directory, device }
    const options = { ...defaults, ...container.options }
    const choice = options.nestedMounts === 'on' ? spare : 'never'
    const files = filesToBind(options).filter(path => isServed(directory, path))
    bound = attach(host, container, files, served, { choice, refuse, masks })
  } catch (error) {
    if (earlier === undefined) registry.forget(container.id)
    else registry.register(earlier)
    throw error
  }
  if (earlier !== undefined) registry.forgetEarlier(earlier, container)
  return bound
}

/**
 * Whether a path is served as this version means it. A server of an earlier version has the directory of the CPUs for the
 * sake of three files: nothing else would be in it.
 */
function isServed(directory: number, path: string): boolean {
  const mark = DIRECTORY_MARKS[path]
  return mark === undefined || existsSync(`/proc/self/fd/${directory}/${mark}`)
}
