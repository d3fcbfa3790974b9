/**
 * `procveil prestart`: prepares the directory above the mount point, before the service starts. The directory becomes
 * a shared mount with a peer group of its own, so that a container which has it as a slave sees the mount that the
 * service makes there, and no other mount does. Mounts there of services that are gone are taken off.
 */

import { mkdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { Host } from '../host/host.ts'
import { findMount, findMountAround, type Mount } from '../host/mountinfo.ts'
import { ask } from '../mount/ask.ts'
import { findServed, unmountAll } from '../mount/served.ts'
import { isShared } from '../mount/target.ts'
import type { Settings } from '../service/default-settings.ts'
import { systemClock } from '../sys/clock.ts'
import { Log } from '../sys/log.ts'
import { MS_BIND, MS_PRIVATE, MS_SHARED, mount, unmount } from '../sys/mount.ts'

const ANSWER_MS = 2000

/** Returns the exit status. Throws when a mount cannot be made. */
export async function prestart(settings: Settings): Promise<number> {
  const { mountPoint } = settings
  const host = new Host('/', systemClock)
  const log = new Log('prestart', settings.log)
  // A service that hangs is not gone: its keeper replaces the server.
  const served = findServed(host, mountPoint)
  if (served !== undefined && (await ask(mountPoint, ANSWER_MS)) === 'gone') {
    unmountAll(host, mountPoint)
    log.info(`released ${mountPoint}: nobody answered there`)
  }
  const base = dirname(mountPoint)
  mkdirSync(base, { recursive: true })
  const { mount: at, around } = look(host, base)
  if (at !== undefined && isShared(at) && !sharesGroup(at, around)) return 0
  if (findServed(host, mountPoint) !== undefined) {
    log.info(`left ${base} alone: a bind of it would hide the mount of the service that runs`)
    return 0
  }
  if (at === undefined) {
    mount({ source: base, target: base, type: 'none', flags: MS_BIND })
    log.info(`made ${base} a mount of its own`)
  }
  // A bind has the peer group of the mount that it was made from. A service's mount would appear in that one, too,
  // below the bind: mount_namespaces(7), "Shared subtrees".
  mount({ source: 'none', target: base, type: 'none', flags: MS_PRIVATE })
  mount({ source: 'none', target: base, type: 'none', flags: MS_SHARED })
  log.info(`made ${base} shared`)
  return 0
}

/**
 * Takes the mount off again that `prestart` has made, for the last time before procveil is erased. Returns the exit
 * status. Throws while a service is mounted below it.
 */
export function undoPrestart(settings: Settings): number {
  const host = new Host('/', systemClock)
  const base = dirname(settings.mountPoint)
  if (findServed(host, settings.mountPoint) !== undefined) {
    throw new Error(
      `Cannot take the mount off ${base}: a service is mounted below it; procveil stop first`,
    )
  }
  const { mount: at, around } = look(host, base)
  if (at !== undefined && around !== undefined && isBindOfItself(at, around)) unmount(base)
  return 0
}

interface Place {
  /** The mount at the directory itself, if it is a mount point. */
  mount: Mount | undefined
  /** The mount that the directory would be part of otherwise. */
  around: Mount | undefined
}

function look(host: Host, directory: string): Place {
  const mountinfo = host.read('proc/self/mountinfo')
  return {
    mount: findMount(mountinfo, directory),
    around: findMountAround(mountinfo, dirname(directory)),
  }
}

const groupOf = (mount: Mount | undefined) =>
  mount?.propagation.find(tag => tag.startsWith('shared:'))

const sharesGroup = (mount: Mount, around: Mount | undefined) => groupOf(mount) === groupOf(around)

/** Whether a mount shows no other files than the directory below it. */
function isBindOfItself({ major, minor, root, mountPoint }: Mount, around: Mount): boolean {
  return (
    major === around.major &&
    minor === around.minor &&
    root === join(around.root, relative(around.mountPoint, mountPoint))
  )
}
