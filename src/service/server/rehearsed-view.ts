/**
 * A view for the rehearsal alone: of a container that is registered, so that it has limits as others have, but not the
 * view that its readers see.
 */

import type { Container } from '../../container/container.ts'
import type { DeviceFiles } from '../../container/device-files.ts'
import type { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import type { Options } from '../../proc/options.ts'
import { type ContainerView, openView } from '../../view/container-view.ts'
import { NO_DEVICES } from '../../view/known-devices.ts'

interface Known {
  registry: Pick<Registry, 'containers'>
  files: Pick<DeviceFiles, 'find'>
  /** Options that hold where a container has none of its own. */
  defaults: Readonly<Options>
}

/** `undefined` where no container is registered. Whoever has the view is to close it. */
export function rehearsedView(
  host: Host,
  { registry, files, defaults }: Known,
): ContainerView | undefined {
  const container: Container | undefined = registry.containers().next().value
  if (container === undefined) return undefined
  // Devices are what a worker has found: looking for them may hang.
  const devices = files.find(container) ?? NO_DEVICES
  const { cgroups, pid, startTicks, rootMount, options } = container
  const subject = { cgroups, pid, startTicks, rootMount, devices }
  return openView(host, subject, { ...defaults, ...options })
}
