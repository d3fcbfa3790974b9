/** Finds out whether a process is kept from running, and how it is let go. */

import { parseCgroupPaths, readHierarchies } from '../../cgroup/hierarchy.ts'
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
  const thaws = findThaws(host, host.tryRead(`proc/${pid}/cgroup`) ?? '')
  const remedies = [...thaws, ...(isStopped ? [`kill -CONT ${pid}`] : [])]
  if (remedies.length === 0) return undefined
  return { pid, how: thaws.length > 0 ? 'frozen' : 'stopped', remedies }
}

/**
 * How a freezer is told: cgroup-v2.rst, "cgroup.freeze"; cgroup-v1/freezer-subsystem.rst. A process is also frozen by what is
 * written above its own cgroup.
 */
const FREEZERS = [
  { controller: '', asked: 'cgroup.freeze', written: 'cgroup.freeze', thawed: '0' },
  {
    controller: 'freezer',
    asked: 'freezer.self_freezing',
    written: 'freezer.state',
    thawed: 'THAWED',
  },
] as const

function findThaws(host: Host, cgroups: string): string[] {
  const hierarchies = readHierarchies(host)
  const paths = parseCgroupPaths(cgroups)
  return FREEZERS.flatMap(({ controller, asked, written, thawed }) => {
    const mountPoint = hierarchies.get(controller)?.mountPoint
    if (mountPoint === undefined) return []
    return upwards(paths[controller] ?? '/')
      .filter(path => host.tryRead(`${mountPoint}${path}/${asked}`)?.trim() === '1')
      .flatMap(path => [
        // systemd thaws nothing that it has not frozen, and believes frozen what others have thawed.
        ...(parseUnit(`0::${path}`) === UNIT ? [`systemctl thaw ${UNIT}`] : []),
        `echo ${thawed} > ${shellWord(`/${mountPoint}${path}/${written}`)}`,
      ])
  })
}

/** `/a/b` and `/a`. */
function upwards(path: string): string[] {
  const names = path.split('/').filter(name => name !== '')
  return names.map((_, left) => `/${names.slice(0, names.length - left).join('/')}`)
}

const shellWord = (word: string) =>
  /^[\w./:@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
