/**
 * What containers in a container may mount. In a user namespace of its own a program may mount proc or sysfs only where
 * its mount namespace has one that is fully visible: whose root is the file system's, and on which nothing but empty
 * directories is covered. See mnt_already_visible() of fs/namespace.c. Our files cover more than that.
 */

import type { Mount, MountTree } from '../host/mountinfo.ts'
import { FS_TYPE } from './target.ts'

const KINDS = [
  { fsType: 'proc', directory: 'proc' },
  { fsType: 'sysfs', directory: 'sys' },
] as const

/** What the kernel keeps empty for others to mount on: proc_create_mount_point(), sysfs_create_mount_point(). */
const EMPTY_DIRECTORIES: ReadonlySet<string> = new Set([
  'proc/fs/nfsd',
  'proc/sys/fs/binfmt_misc',
  'proc/xen',
  'sys/firmware/efi/efivars',
  'sys/fs/bpf',
  'sys/fs/cgroup',
  'sys/fs/fuse/connections',
  'sys/fs/pstore',
  'sys/fs/resctrl',
  'sys/fs/selinux',
  'sys/fs/smackfs',
  'sys/kernel/config',
  'sys/kernel/debug',
  'sys/kernel/security',
  'sys/kernel/tracing',
])

/** A /proc or /sys of a container that is fully visible, or would be without our files. */
export interface Nestable {
  mount: Mount
  /** `proc` or `sys`. */
  directory: string
  /** Whether our files cover it. */
  isCovered: boolean
  /** Mounts of the same kind elsewhere in the container that are fully visible, such as /dev/.lxc/proc of LXC. */
  others: Mount[]
}

export function findNestable(mounts: MountTree, base: string): Nestable[] {
  return KINDS.flatMap(({ fsType, directory }) => {
    const mount = mounts.find(`${base}/${directory}`)
    if (mount?.fsType !== fsType || !isVisible(mounts, mount, directory, isOurs)) return []
    const others = mounts.mounts.filter(
      other =>
        other.id !== mount.id &&
        other.fsType === fsType &&
        other.mountPoint.startsWith(`${base}/`) &&
        isVisible(mounts, other, directory),
    )
    const isCovered = !isVisible(mounts, mount, directory)
    return [{ mount, directory, isCovered, others }]
  })
}

/** Whether containers in this one cannot mount a proc, and could without our files. Few of them mount a sysfs. */
export const isNestingBarred = (mounts: MountTree, base: string) =>
  findNestable(mounts, base).some(
    ({ directory, isCovered, others }) => directory === 'proc' && isCovered && others.length === 0,
  )

/** `ignored` says which mounts do not count. */
function isVisible(
  mounts: MountTree,
  mount: Mount,
  directory: string,
  ignored: (mounts: MountTree, mount: Mount) => boolean = () => false,
): boolean {
  if (mount.root !== '/') return false
  return mounts.liesOn(mount).every(other => {
    const path = `${directory}${other.mountPoint.slice(mount.mountPoint.length)}`
    return EMPTY_DIRECTORIES.has(path) || ignored(mounts, other)
  })
}

/** A file of ours on which the runtime has put a mask is not ours any more. */
function isOurs(mounts: MountTree, mount: Mount): boolean {
  return mount.fsType === FS_TYPE && mounts.liesOn(mount).every(other => isOurs(mounts, other))
}
