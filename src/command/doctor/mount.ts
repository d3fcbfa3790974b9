/** Checks our mount: who serves it, and whether the mount that it lies on passes it on to containers. */

import { dirname } from 'node:path'
import type { Host } from '../../host/host.ts'
import { findMountAround, type Mount, MountTree, parseMounts } from '../../host/mountinfo.ts'
import { FS_TYPE, isShared } from '../../mount/target.ts'
import type { Settings } from '../../service/settings.ts'
import type { Status } from '../../service/status.ts'
import type { Reply } from '../containers/ask-mount.ts'
import { about, type Finding } from './finding.ts'

export interface Service {
  answer: Reply
  keeper: Pick<Status, 'pid' | 'version'> | undefined
}

const { ok, warning, problem } = about('mount')

/** `service` is what answers at the mount point, and `undefined` where nothing of our kind is mounted. */
export function checkMount(
  host: Host,
  { mountPoint, runDirectory }: Pick<Settings, 'mountPoint' | 'runDirectory'>,
  version: string,
  service: Service | undefined,
): Finding[] {
  const mounts = mountsAt(host, mountPoint)
  const top = mounts.at(-1)
  if (top === undefined) {
    return [ok(`nothing is mounted at ${mountPoint} yet: the first hook starts the service`)]
  }
  if (top.fsType !== FS_TYPE || service === undefined) {
    return [
      problem(
        `a file system of type ${top.fsType} is mounted at ${mountPoint}`,
        `umount ${mountPoint}, or choose another --mountpoint`,
      ),
    ]
  }
  const findings = [judgeService(mountPoint, runDirectory, version, service)]
  const below = mounts.filter(({ fsType }) => fsType === FS_TYPE).length - 1
  if (below > 0) {
    findings.push(
      warning(
        `${below} earlier mounts lie below the one at ${mountPoint}`,
        'procveil stop, then umount what is left there',
      ),
    )
  }
  return findings
}

function judgeService(
  mountPoint: string,
  runDirectory: string,
  version: string,
  { answer, keeper }: Service,
): Finding {
  if (answer === 'gone') {
    return problem(
      `nobody serves ${mountPoint} any more: files in containers fail with ENOTCONN`,
      'procveil remount --all starts the service and mends the containers',
    )
  }
  if (answer === 'unasked') {
    return problem(`${mountPoint} could not be asked whether it answers`, 'see the messages above')
  }
  if (answer === 'silent') {
    return problem(
      `${mountPoint} does not answer, readers in containers hang`,
      keeper === undefined
        ? 'end the process that serves it: fuser -v /dev/fuse shows which'
        : `see the log of process ${keeper.pid}; procveil upgrade has it start a new server`,
    )
  }
  if (keeper === undefined) {
    return problem(
      `${mountPoint} is another lxcfs's, or a procveil's with another --run-dir than ${runDirectory}, or one that could not write there who it is`,
      'stop that one, or choose another --mountpoint',
    )
  }
  const text = `process ${keeper.pid}, version ${keeper.version}, serves ${mountPoint}`
  if (keeper.version === version) return ok(text)
  return warning(`${text}; this is version ${version}`, 'procveil upgrade')
}

/** Returns the mounts that lie one on the other, the topmost one last. */
function mountsAt(host: Host, mountPoint: string): Mount[] {
  const mounts = new MountTree(parseMounts(host.tryRead('proc/self/mountinfo') ?? ''))
  return mounts.lookUp(mountPoint).filter(mount => mount.mountPoint === mountPoint)
}

/**
 * Checks the directory above the mount point. A container into which that directory is bound sees a later mount in it
 * only if the directory is on a shared mount: mount_namespaces(7).
 */
export function checkPropagation(
  host: Host,
  { mountPoint }: Pick<Settings, 'mountPoint'>,
): Finding {
  const { ok, warning } = about('propagation')
  const mountinfo = host.tryRead('proc/self/mountinfo') ?? ''
  const directory = dirname(mountPoint)
  const mount = findMountAround(mountinfo, directory)
  if (mount === undefined || isShared(mount)) return ok(`mounts below ${directory} are passed on`)
  return warning(
    `mounts below ${directory} are not passed on: a container that has this directory bound misses a service started later`,
    'procveil prestart makes it a shared mount; it matters to no other container',
  )
}
