/** Checks for processes of ours that were killed and are not gone. */

import type { Host } from '../../host/host.ts'
import { isProcessDoomed } from '../../service/doomed.ts'
import { about, type Finding, nameSome } from './finding.ts'

const { ok, warning } = about('processes')

/**
 * Our processes are known by the link to their executable: the kernel gives it without waiting for the process, where a
 * command line is read from memory that the process may hold.
 */
export function checkProcesses(host: Host): Finding {
  const own = host.tryReadLink('proc/self/exe')
  const pids = host.list('proc').filter(name => /^\d+$/.test(name))
  const left = pids.filter(
    pid =>
      host.tryReadLink(`proc/${pid}/exe`)?.replace(/ \(deleted\)$/, '') === own &&
      isProcessDoomed(host, Number(pid)),
  )
  if (left.length === 0) return ok('none of ours was killed and is left')
  return warning(
    `${left.length} of ours were killed and wait in the kernel, for a file system that does not answer: ${nameSome(left)}`,
    'the log says what they were to do; end who serves that file system, or its container',
  )
}
