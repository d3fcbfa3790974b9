/** Finds out whether a process is kept from running, and how it is let go. */

import { findFreezes } from '../../cgroup/freezer.ts'
import type { Host } from '../../host/host.ts'
import { parseTaskState } from '../../host/proc-pid.ts'
import { parseUnit } from '../../service/notify.ts'
import { UNIT } from '../../service/unit.ts'

interface Halted {
  pid: number
  how: 'frozen' | 'stopped'
  /** Commands of a shell. */
  remedies: string[]
}

/** Returns `undefined` for a process that may run, and for none. */
export function findHalted(host: Host, pid: number): Halted | undefined {
  const stat = host.tryRead(`proc/${pid}/stat`)
  const isStopped = stat !== undefined && parseTaskState(stat) === 'T'
  const thaws = findThaws(host, pid)
  const remedies = [...thaws, ...(isStopped ? [`kill -CONT ${pid}`] : [])]
  if (remedies.length === 0) return undefined
  return { pid, how: thaws.length > 0 ? 'frozen' : 'stopped', remedies }
}

function findThaws(host: Host, pid: number): string[] {
  return findFreezes(host, pid).flatMap(({ mountPoint, path, file, thawed }) => [
    // systemd thaws nothing that it has not frozen, and believes frozen what others have thawed.
    ...(parseUnit(`0::${path}`) === UNIT ? [`systemctl thaw ${UNIT}`] : []),
    `echo ${thawed} > ${shellWord(`/${mountPoint}${path}/${file}`)}`,
  ])
}

const shellWord = (word: string) =>
  /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
