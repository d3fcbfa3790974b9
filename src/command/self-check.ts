/**
 * `procveil self-check`: shows what an executable has to show before a running service goes over to it. It makes a
 * whole view, that of its own cgroup, from this very host.
 */

import { readStartTicks } from '../container/identity.ts'
import { readCgroups } from '../container/own-cgroups.ts'
import { Host } from '../host/host.ts'
import { DEFAULT_OPTIONS } from '../proc/options.ts'
import type { FilePath } from '../proc/paths.ts'
import { renderSelfCheck } from '../service/handover.ts'
import { systemClock } from '../sys/clock.ts'
import { openView } from '../view/open-view.ts'
import { renderAll } from './show.ts'
import { VERSION } from './version.ts'

/** The file that is empty on a machine whose root is on no disk, such as one that boots from a network. */
const MAY_BE_EMPTY: FilePath = 'proc/diskstats'

/** Returns the exit status. Throws what a server would fail with. */
export function selfCheck(): number {
  const host = new Host('/', systemClock)
  const { pid } = process
  const subject = {
    pid,
    startTicks: readStartTicks(host, pid),
    cgroups: readCgroups(host, pid, ''),
  }
  for (const { path, text } of renderAll(openView(host, subject, DEFAULT_OPTIONS))) {
    if (text === '' && path !== MAY_BE_EMPTY)
      throw new Error(`Cannot render ${path}: there is nothing in it`)
  }
  process.stdout.write(renderSelfCheck(VERSION))
  return 0
}
