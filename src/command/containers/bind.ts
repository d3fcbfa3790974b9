/** Registers a container and puts our files into it: what a hook and `remount` both do. */

import { fstatSync } from 'node:fs'
import type { Container } from '../../container/container.ts'
import type { Registry } from '../../container/registry.ts'
import { splitDevice } from '../../host/device-number.ts'
import type { Host } from '../../host/host.ts'
import { attach, type Bound } from '../../mount/attach.ts'
import { Descriptors } from '../../mount/descriptors.ts'
import { filesToBind, type Options } from '../../proc/options.ts'
import type { Settings } from '../../service/settings.ts'
import { openOrStart } from '../../service/start.ts'

export interface BindContext {
  host: Host
  settings: Settings
  registry: Registry
  /** Options of containers that have none of their own. */
  defaults: Options
}

/** Throws when the files cannot be bound. Then no mount and no registration is left that was not there before. */
export function bind(
  { host, settings, registry, defaults }: BindContext,
  container: Container,
): Bound {
  const earlier = registry.find(container.id)
  registry.register(container)
  try {
    using opened = new Descriptors()
    const directory = opened.add(openOrStart(host, settings, `containers/${container.id}`))
    const served = { directory, device: splitDevice(fstatSync(directory).dev) }
    return attach(host, container, filesToBind({ ...defaults, ...container.options }), served)
  } catch (error) {
    if (earlier === undefined) registry.forget(container.id)
    else registry.register(earlier)
    throw error
  }
}

/**
 * Leaves out the option `cgroup` unless it names the container's own cgroup or one above it, and tells `refuse` why:
 * whoever may annotate a container may not look into other containers with it.
 */
export function withoutForeignCgroup(
  container: Container,
  refuse: (error: unknown) => void,
): Container {
  const { cgroup, ...others } = container.options
  if (cgroup === undefined || cgroup === 'auto') return container
  const own = Object.values(container.cgroups)
  if (own.some(path => path === cgroup || path.startsWith(`${cgroup}/`))) return container
  refuse(
    new RangeError(
      `Cannot use cgroup "${cgroup}" for ${container.id}: it must be the container's own or above it`,
    ),
  )
  return { ...container, options: others }
}
