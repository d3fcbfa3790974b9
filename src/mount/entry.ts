/**
 * A container's mount namespace, held open: what is needed to change mounts there, and nothing that the container can
 * swap.
 */

import { closeSync, openSync, statSync } from 'node:fs'
import type { Described } from '../container/container.ts'
import { isAlive } from '../container/identity.ts'
import type { Host } from '../host/host.ts'
import { MountTree, parseMounts } from '../host/mountinfo.ts'
import { readMountsOf } from '../host/mounts-of.ts'
import { O_PATH } from '../host/open-path.ts'
import { errorCode } from '../sys/error.ts'
import { openBeneath, unmountAt } from '../sys/mount.ts'
import { openPid } from '../sys/process.ts'
import type { Descriptors } from './descriptors.ts'
import { findBase, type Target } from './target.ts'

export interface Entry {
  /** A descriptor of the container's init. */
  process: number
  /** A descriptor of the container's mount namespace. */
  namespace: number
  /** A descriptor of the container's root directory. */
  root: number
  mounts: MountTree
  /** The path of the container's root in its namespace. */
  base: string
}

/**
 * Throws when the container has ended, or has no mount namespace of its own. `action` says in the error what cannot be
 * done then.
 */
export function openEntry(
  host: Host,
  container: Described,
  opened: Descriptors,
  action: string,
): Entry {
  const { pid, id } = container
  const process = opened.add(openPid(pid))
  const namespace = opened.add(openSync(host.path(`proc/${pid}/ns/mnt`), 'r'))
  if (sameFile(host.path(`proc/${pid}/ns/mnt`), host.path('proc/self/ns/mnt'))) {
    throw new Error(`Cannot ${action} ${id}: process ${pid} is in the host's mount namespace`)
  }
  const root = opened.add(openSync(host.path(`proc/${pid}/root`), O_PATH))
  const mounts = readMounts(host, container, action)
  const base = findBase(mounts, container.rootfs)
  if (base === '' && sameFile(host.path(`proc/${pid}/root`), '/')) {
    throw new Error(
      `Cannot ${action} ${id}: no proc file system is mounted at ${container.rootfs}/proc`,
    )
  }
  if (!isAlive(host, container)) throw new Error(`Cannot ${action} ${id}: process ${pid} ended`)
  return { process, namespace, root, mounts, base }
}

/** Where it is not known what lies on a file, no mount is changed. */
function readMounts(host: Host, { pid, id }: Described, action: string): MountTree {
  try {
    return new MountTree(parseMounts(readMountsOf(host, pid)))
  } catch (cause) {
    if (errorCode(cause) !== 'EFBIG') throw cause
    throw new Error(`Cannot ${action} ${id}: process ${pid} has too many mounts`, { cause })
  }
}

/** Takes off our mounts at one place, one after the other. To be called inside the container's mount namespace. */
export function unbind(root: number, { path, layers }: Pick<Target, 'path' | 'layers'>): void {
  const slash = path.lastIndexOf('/')
  const directory = openBeneath(root, path.slice(0, slash))
  try {
    for (let left = layers; left > 0; left--) unmountAt(directory, path.slice(slash + 1))
  } catch (error) {
    // EINVAL says that nothing is mounted there any more.
    if (errorCode(error) !== 'EINVAL') throw error
  } finally {
    closeSync(directory)
  }
}

function sameFile(path: string, other: string): boolean {
  const [one, two] = [statSync(path), statSync(other)]
  return one.dev === two.dev && one.ino === two.ino
}
