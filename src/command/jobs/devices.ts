/** The job `devices`: looks for the block devices of a container, and writes them down for the server. */

import { DeviceFiles } from '../../container/device-files.ts'
import { isAlive } from '../../container/identity.ts'
import type { Host } from '../../host/host.ts'
import type { ContainerDevices } from '../../proc/disk/visible.ts'
import { collectDevices, type Init } from '../../view/devices.ts'

/** Returns `undefined` when the init has ended. `base` is that of `collectDevices`. */
export function findDevices(
  host: Host,
  runDirectory: string,
  init: Init,
  base = '',
): ContainerDevices | undefined {
  const collectedUsec = Math.floor(host.clock.monotonicUsec())
  const devices = collectDevices(host, init, base)
  if (devices === undefined) return undefined
  const { pid, startTicks } = init
  new DeviceFiles(runDirectory).save(
    { pid, startTicks },
    { ...devices, collectedUsec, isEarly: base !== '' },
    other => isAlive(host, other),
  )
  return devices
}
