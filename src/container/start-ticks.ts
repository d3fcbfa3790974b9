/** When a process was created: together with its pid that names one process for ever. */

import type { Host } from '../host/host.ts'
import { parseStartTicks } from '../host/process.ts'

/** In ticks after boot; `undefined` when there is no process with that pid. */
export function readStartTicks(host: Host, pid: number): number | undefined {
  const stat = host.tryRead(`proc/${pid}/stat`)
  return stat === undefined ? undefined : parseStartTicks(stat)
}
