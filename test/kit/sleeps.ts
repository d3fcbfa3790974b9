/** How often the first thread of a process has gone to sleep: each time it had been woken up before. */

import { readFileSync } from 'node:fs'

export function countSleeps(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(status)?.[1])
}
