/** Opens a running container for a command that prints what it sees. */

import type { Described } from '../../container/container.ts'
import { Host } from '../../host/host.ts'
import type { ContainerDevices } from '../../proc/disk/visible.ts'
import type { Options } from '../../proc/options.ts'
import type { Settings } from '../../service/default-settings.ts'
import { systemClock } from '../../sys/clock.ts'
import { Log } from '../../sys/log.ts'
import { NO_DEVICES } from '../../view/known-devices.ts'
import type { Workers } from '../../worker/workers.ts'
import { type Choice, chooseOne } from './choose.ts'
import { Pools } from './pools.ts'

export interface RunningContainer extends Described {
  options: Options
  devices: ContainerDevices
}

const DEVICES_MS = 2000

/**
 * Returns the container that was chosen, with its devices. Where a worker does not find those in time, there are none,
 * and stderr says so. Throws as `chooseOne` does; `command` is the name of the caller in errors.
 */
export async function openRunning(
  settings: Settings,
  choice: Pick<Choice, 'containerId' | 'runtimeRoot'>,
  command: string,
): Promise<RunningContainer> {
  const pools = new Pools(settings, { most: 1, mostHung: 4 })
  try {
    const host = new Host('/', systemClock)
    const container = await chooseOne(host, settings, pools, choice, command)
    return { ...container, devices: await findDevices(pools.users, container, command) }
  } finally {
    await pools.close()
  }
}

async function findDevices(
  workers: Workers,
  { id, pid, startTicks, rootMount }: Described,
  command: string,
): Promise<ContainerDevices> {
  try {
    const init = { pid, startTicks, rootMount }
    const found = await workers.ask<ContainerDevices | null>('show-devices', init, DEVICES_MS)
    return found ?? NO_DEVICES
  } catch (cause) {
    new Log(command, undefined).error(new Error(`Cannot find the devices of ${id}`, { cause }))
    return NO_DEVICES
  }
}
