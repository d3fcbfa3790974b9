/**
 * What a container has read from block devices and written to them, as submit_bio() of block/blk-core.c counts it for
 * the machine.
 */

import type { DiskIo, IoReader } from '../cgroup/io.ts'
import { memoize } from '../cgroup/memoize.ts'
import { EVENT_CELLS, type EventCounts } from '../cgroup/memory-events.ts'
import { type Host, orUndefined } from '../host/host.ts'

/** Sets `pgpgin` and `pgpgout` where the kernel counts I/O. Returns the events. */
export function addBlockIo(events: EventCounts, io: IoReader | undefined, host: Host): EventCounts {
  const disks = io?.disks()
  if (disks === undefined) return events
  const { readBytes, writeBytes } = addUp(disks, readStacked(host))
  events[EVENT_CELLS.pgpgin] = Math.floor(readBytes / 1024)
  events[EVENT_CELLS.pgpgout] = Math.floor(writeBytes / 1024)
  return events
}

/** Devices with these major numbers pass their I/O on to others, where cgroups count it once more. */
const addUp = memoize((disks: ReadonlyMap<string, DiskIo>, stacked: ReadonlySet<string>) => {
  let readBytes = 0
  let writeBytes = 0
  for (const [device, io] of disks) {
    if (stacked.has(device.slice(0, device.indexOf(':')))) continue
    readBytes += io.readBytes
    writeBytes += io.writeBytes
  }
  return { readBytes, writeBytes }
})

const readStacked = (host: Host) =>
  findStacked(orUndefined(() => host.sample('proc/devices', 'drivers are loaded rarely')) ?? '')

/** The major numbers of device-mapper and md; /proc/devices has those of block devices behind the others. */
const findStacked = memoize((devices: string): ReadonlySet<string> => {
  const blocks = devices.slice(devices.indexOf('Block devices:'))
  const rows = blocks.matchAll(/^ *(\d+) (?:device-mapper|mdp?)$/gm)
  return new Set([MD, ...[...rows].map(row => row[1] ?? '')])
})

/** The number of md is always this one: Documentation/admin-guide/devices.txt. */
const MD = '9'
