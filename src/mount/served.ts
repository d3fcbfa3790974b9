/** The shared mount: the one place on the host that all containers' files are bound from. */

import { openSync, statfsSync } from 'node:fs'
import type { Host } from '../host/host.ts'
import { findMount, type Mount } from '../host/mountinfo.ts'
import { O_PATH } from '../host/open-path.ts'
import { errorCode } from '../sys/error.ts'
import { MS_NODEV, MS_NOSUID, mount, unmount } from '../sys/mount.ts'
import { FS_TYPE, SOURCE } from './target.ts'

/** Mounts the connection of `fuse`, an open /dev/fuse. Every user may read the files, also in a user namespace. */
export function mountFuse(fuse: number, mountPoint: string): void {
  const data = `fd=${fuse},rootmode=40000,user_id=0,group_id=0,allow_other`
  const flags = MS_NOSUID | MS_NODEV
  mount({ source: SOURCE, target: mountPoint, type: FS_TYPE, flags, data })
}

/** Returns the mount of our kind at `mountPoint`, served or not. */
export function findServed(host: Host, mountPoint: string): Mount | undefined {
  const found = findMount(host.read('proc/self/mountinfo'), mountPoint)
  return found?.fsType === FS_TYPE ? found : undefined
}

/** Throws when another server answers at `mountPoint`: its mount is not ours to take away. */
export function refuseForeign(host: Host, mountPoint: string): void {
  if (findServed(host, mountPoint) === undefined || !isAnswering(mountPoint)) return
  throw new Error(
    `Cannot serve ${mountPoint}: another lxcfs is mounted there, or a procveil with another --run-dir; stop it, or choose another --mountpoint`,
  )
}

/** Calls statfs(2) and not stat(2), which the kernel answers by itself for as long as it holds attributes. */
export function isAnswering(mountPoint: string): boolean {
  try {
    statfsSync(mountPoint)
    return true
  } catch (error) {
    return !GONE.has(errorCode(error) ?? '')
  }
}

/**
 * Takes off the mounts that earlier servers left at `mountPoint`, one on top of the other. Another process may do so at
 * the same time: a mount that it was quicker to take off is no failure.
 */
export function unmountAll(host: Host, mountPoint: string): void {
  for (;;) {
    const mount = findServed(host, mountPoint)
    if (mount === undefined) return
    try {
      unmount(mountPoint)
    } catch (error) {
      if (findServed(host, mountPoint)?.id === mount.id) throw error
    }
  }
}

/**
 * Returns an O_PATH descriptor of a path below the mount; `undefined` when no server answers there, or when the server
 * does not know the path.
 */
export function openServed(path: string): number | undefined {
  try {
    return openSync(path, O_PATH)
  } catch (error) {
    if (GONE.has(errorCode(error) ?? '')) return undefined
    throw error
  }
}

/**
 * The errors of a mount whose server has died, of one that refuses everything since its server gave no good answer to INIT,
 * of a mount that was never made, and of another program's mount.
 */
const GONE: ReadonlySet<string> = new Set([
  'ENOTCONN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ENOENT',
  'ENOTDIR',
  'EIO',
])
