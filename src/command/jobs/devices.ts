/** The job `devices`: looks for the block devices of a container, and writes them down for the server. */

import { DeviceFiles } from '../../container/device-files.ts'
import { isAlive } from '../../container/identity.ts'
import type { Host } from '../../host/host.ts'
import { collectDevices, type Init } from '../../view/devices.ts'

/**
 * Writes nothing when the init has ended. Whoever wants the devices reads the file: an answer would go through the
 * keeper.
 */
export function findDevices(host: Host, runDirectory: string, init: Init): void {
  const collectedUsec = Math.floor(host.clock.monotonicUsec())
  const devices = collectDevices(host, init)
  if (devices === undefined) return
  const { pid, startTicks } = init
  new DeviceFiles(runDirectory).save({ pid, startTicks }, { ...devices, collectedUsec }, other =>
    isAlive(host, other),
  )
}
