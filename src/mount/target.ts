/** Where a container's files are, seen from its mount namespace. Everything here is taken from /proc/PID/mountinfo. */

import type { Mount, MountTree } from '../host/mountinfo.ts'

/** The source and the type of our mount, which tools look for in /proc/mounts. */
export const SOURCE = 'lxcfs'
export const FS_TYPE = 'fuse.lxcfs'

/**
 * Returns the path of the container's root in the namespace of its init: its root file system's path before
 * pivot_root(2), as in the prestart and createRuntime stages, and '' when the root file system has become the
 * namespace's root.
 */
export function findBase(mounts: MountTree, rootfs: string): string {
  const root = rootfs === '/' ? '' : rootfs
  return mounts.find(`${root}/proc`)?.fsType === 'proc' ? root : ''
}

/** The mount that our file or directory would lie on, and what lies there already. */
export interface Target {
  path: string
  parent: Mount
  /** A bind of a file of ours, or of the C lxcfs. */
  bound: Mount | undefined
  /** The number of such binds that lie one on top of the other. */
  layers: number
  /** Mount points of directories of ours that lie over all that. */
  covers: string[]
}

/** Returns `undefined` when the container has no such place: /proc or /sys is not mounted there. */
export function findTarget(mounts: MountTree, base: string, file: string): Target | undefined {
  const path = `${base}/${file}`
  const fsType = file.startsWith('sys/') ? 'sysfs' : 'proc'
  const covers: string[] = []
  const entered = mounts.lookUp(path, ({ fsType, mountPoint }) => {
    // Binds of single files stay below those of their directories.
    const isOurs = fsType === FS_TYPE
    if (isOurs) covers.push(mountPoint)
    return isOurs
  })
  const first = entered.findIndex(mount => mount.mountPoint === path)
  const onFile = first < 0 ? [] : entered.slice(first)
  const parent = entered.at(first < 0 ? -1 : first - 1)
  const bound = onFile.at(-1)
  if (parent === undefined || parent.fsType !== fsType) return undefined
  if (bound !== undefined && bound.fsType !== FS_TYPE) return undefined
  // Only those on top are taken off: below a mount of another kind they hide nothing.
  const others = onFile.findLastIndex(mount => mount.fsType !== FS_TYPE)
  return { path, parent, bound, layers: onFile.length - 1 - others, covers }
}

export const isShared = (mount: Mount) => mount.propagation.some(tag => tag.startsWith('shared:'))

/** Whether the mount on a file is `path` of the file system with this device number. */
export function isFileOf(
  { major, minor, root }: Pick<Mount, 'major' | 'minor' | 'root'>,
  device: { major: number; minor: number } | undefined,
  path: string,
): boolean {
  // The kernel appends //deleted to a root whose directory entry it had to look up anew.
  const own = root.replace(/\/\/deleted$/, '')
  return major === device?.major && minor === device.minor && own === path
}

/** Returns the path of a container's own file in our file system. */
export const pathOf = (id: string, file: string) => `/containers/${id}/${file}`
