/** Checks our mount: who serves it, and whether the mount that it lies on passes it on to containers. */

import { dirname } from 'node:path'
import type { Host } from '../../host/host.ts'
import { findMountAround, type Mount, MountTree, parseMounts } from '../../host/mountinfo.ts'
import { FS_TYPE, isShared } from '../../mount/target.ts'
import type { Settings } from '../../service/default-settings.ts'
import type { Status } from '../../service/status.ts'
import type { Reply } from '../containers/ask-mount.ts'
import { about, type Finding } from './finding.ts'
import { findHalted } from './halted.ts'

export interface Service {
  /** What comes of asking the mount; `off` where nothing of our kind is mounted. */
  answer: Reply | 'off'
  keeper: (Pick<Status, 'pid' | 'version'> & { hangs: boolean }) | undefined
  /** The pid of the server that was the last to answer, if it has not ended. */
  server: number | undefined
}

const { ok, warning, problem } = about('mount')

export function checkMount(
  host: Host,
  { mountPoint, runDirectory }: Pick<Settings, 'mountPoint' | 'runDirectory'>,
  version: string,
  service: Service,
): Finding[] {
  const mounts = mountsAt(host, mountPoint)
  const top = mounts.at(-1)
  if (top !== undefined && (top.fsType !== FS_TYPE || service.answer === 'off')) {
    return [
      problem(
        `a file system of type ${top.fsType} is mounted at ${mountPoint}`,
        `umount ${mountPoint}, or choose another --mountpoint`,
      ),
    ]
  }
  const findings = [
    judgeHalted(host, service) ?? judgeService(mountPoint, runDirectory, version, service),
  ]
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

/** A process that is kept from running is told first: nothing else that could be done would help. */
function judgeHalted(host: Host, { answer, keeper, server }: Service): Finding | undefined {
  const [haltedKeeper, haltedServer] = [keeper?.pid, server].map(pid =>
    pid === undefined ? undefined : findHalted(host, pid),
  )
  if (haltedServer !== undefined && keeper !== undefined && haltedKeeper === undefined) {
    // Only a keeper that hangs leaves it there.
    if (keeper.hangs) return undefined
    const { pid, how } = haltedServer
    return problem(
      `server ${pid} is ${how}: process ${keeper.pid} replaces it within seconds, readers wait until then`,
      'procveil check-lxcfs: returns when it has',
    )
  }
  const halted = [haltedKeeper, haltedServer].filter(each => each !== undefined)
  if (halted.length === 0) return undefined
  const which = halted.map(({ pid, how }) => `process ${pid} is ${how}`).join(', ')
  const remedies = new Set(halted.flatMap(({ remedies }) => remedies))
  return problem(`${which}: ${whatFollows(answer)}`, [...remedies].join('; '))
}

const whatFollows = (answer: Service['answer']) =>
  answer === 'answers' ? 'nobody replaces a server that ends' : 'readers in containers wait'

function judgeService(
  mountPoint: string,
  runDirectory: string,
  version: string,
  { answer, keeper, server }: Service,
): Finding {
  const killed = [keeper?.pid, server].filter(pid => pid !== undefined).join(' ')
  if (keeper?.hangs) {
    const text = `process ${keeper.pid}, which keeps ${mountPoint}, hangs: ${whatFollows(answer)}`
    if (answer === 'answers') {
      return problem(text, `kill -KILL ${keeper.pid}: the server starts another keeper`)
    }
    return problem(text, `kill -KILL ${killed}; ${START_AGAIN}`)
  }
  if (answer === 'off') {
    if (keeper === undefined) {
      return ok(`nothing is mounted at ${mountPoint} yet: the first hook starts the service`)
    }
    return problem(
      `nothing is mounted at ${mountPoint}, which process ${keeper.pid} serves: somebody has unmounted it`,
      'procveil check-lxcfs: has it put back, as the next hook and remount do',
    )
  }
  if (answer === 'gone') {
    const text = `nobody answers at ${mountPoint} any more: files in containers cannot be read`
    // A keeper of this version sees to it; one of an earlier version knows nothing of a mount that refuses.
    const isEarlier = keeper !== undefined && keeper.version !== version
    return problem(text, isEarlier ? 'procveil upgrade' : START_AGAIN)
  }
  if (answer === 'unasked') {
    return problem(`${mountPoint} could not be asked whether it answers`, 'see the messages above')
  }
  if (answer === 'silent') {
    const text = `${mountPoint} does not answer, readers in containers wait`
    if (keeper !== undefined) {
      return problem(
        `${text}; process ${keeper.pid} replaces a server that hangs, later where CPU time is short`,
        'procveil check-lxcfs --timeout 300: returns when it answers; the log says why it did not',
      )
    }
    return problem(
      text,
      server === undefined
        ? 'end the process that serves it: fuser -v /dev/fuse shows which'
        : `kill -KILL ${server}; ${START_AGAIN}`,
    )
  }
  if (keeper === undefined && server !== undefined) {
    return warning(
      `the keeper of ${mountPoint} has ended, and server ${server} is about to start another`,
      'procveil doctor: says whether it has',
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

const START_AGAIN = 'procveil check-lxcfs: starts the service, which mends the containers'

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
