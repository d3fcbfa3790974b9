/** mount(2), umount(2) and the descriptor based calls: open_tree(2), move_mount(2), mount_setattr(2), openat2(2). */

import { O_PATH } from '../host/open-path.ts'
import { checked, cstring, errno, int, libc, long, pointer } from './libc.ts'

export const MS_NOSUID = 2
export const MS_NODEV = 4
export const MS_BIND = 1 << 12
export const MS_PRIVATE = 1 << 18
const MS_SLAVE = 1 << 19
export const MS_SHARED = 1 << 20

const O_CLOEXEC = 0o2000000

// New system calls have one number on every architecture, and glibc before 2.36 has no names for them.
const SYS_OPEN_TREE = 428
const SYS_MOVE_MOUNT = 429
const SYS_OPENAT2 = 437
const SYS_MOUNT_SETATTR = 442

const AT_EMPTY_PATH = 0x1000
const AT_SYMLINK_NOFOLLOW = 0x100
const OPEN_TREE_CLONE = 1
const OPEN_TREE_CLOEXEC = O_CLOEXEC
const MOVE_MOUNT_F_EMPTY_PATH = 0x4
const MOVE_MOUNT_T_EMPTY_PATH = 0x40
const RESOLVE_NO_MAGICLINKS = 0x02
const RESOLVE_NO_SYMLINKS = 0x04
const RESOLVE_IN_ROOT = 0x10
const MNT_DETACH = 2
const UMOUNT_NOFOLLOW = 8
const ENOENT = 2
const ENOSYS = 38

const calls = libc({
  fstatfs: { args: [int, pointer], returns: int },
  syscall: { args: [long, long, pointer, long, pointer, long], returns: int },
})
const mounts = libc({ mount: { args: [pointer, pointer, pointer, long, pointer], returns: int } })
const unmounts = libc({
  umount2: { args: [pointer, int], returns: int },
  fchdir: { args: [int], returns: int },
  chdir: { args: [pointer], returns: int },
})
const openat2 = libc({ syscall: { args: [long, long, pointer, pointer, long], returns: int } })

/** The arguments of mount(2). */
interface Mount {
  source: string
  target: string
  type: string
  flags: number
  /** Options of the file system itself; a bind and a change of propagation have none. */
  data?: string
}

export function mount({ source, target, type, flags, data = '' }: Mount): void {
  const result = mounts().mount(
    cstring(source),
    cstring(target),
    cstring(type),
    flags,
    cstring(data),
  )
  checked(result, 'mount', `mount ${type} on ${target}`)
}

/** Takes the topmost mount off `target` at once; what still uses it keeps it until it is done. */
export function unmount(target: string): void {
  const result = unmounts().umount2(cstring(target), MNT_DETACH | UMOUNT_NOFOLLOW)
  checked(result, 'umount2', `unmount ${target}`)
}

/** Unmounts a name in an open directory as `unmount` does. The working directory is / afterwards. */
export function unmountAt(directory: number, name: string): void {
  checked(unmounts().fchdir(directory), 'fchdir', `enter the directory of ${name}`)
  try {
    unmount(`./${name}`)
  } finally {
    unmounts().chdir(ROOT)
  }
}

/**
 * A detached copy of the mount that `path` below `directory` lies on, with that file as its root; `undefined` where
 * there is no such file.
 */
export function openTree(directory: number, path: string): number | undefined {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW
  const fd = calls().syscall(SYS_OPEN_TREE, directory, cstring(path), flags, null, 0)
  return present(fd, 'open_tree', `clone the mount of ${path}`)
}

/** A detached copy of the mount that `fd` lies on, with that file as its root, and without the mounts that lie on it. */
export function cloneMount(fd: number, name: string): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH
  return checked(
    calls().syscall(SYS_OPEN_TREE, fd, EMPTY, flags, null, 0),
    'open_tree',
    `clone the mount of ${name}`,
  )
}

/** Attaches a detached mount at the file that `target`, an O_PATH descriptor, is open on. */
export function moveMount(tree: number, target: number, name: string): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
  const result = calls().syscall(SYS_MOVE_MOUNT, tree, EMPTY, target, EMPTY, flags)
  checked(result, 'move_mount', `mount on ${name}`)
}

/**
 * Mount events no longer go from this mount to its peers. `fd` is open on the mount's root, which is a directory, and
 * the mount is attached in this mount namespace. The working directory may be / afterwards.
 */
export const makeSlave = (fd: number, name: string) =>
  setPropagation(fd, MS_SLAVE, `make ${name} a slave mount`)

/** Mount events go neither from this mount to others nor come here. The rest is as for `makeSlave`. */
export const makePrivate = (fd: number, name: string) =>
  setPropagation(fd, MS_PRIVATE, `make ${name} a private mount`)

/**
 * As `makeSlave`, for a mount that is attached nowhere, and of which the root may be a file. Returns false where the
 * kernel has no call for that: before Linux 5.12.
 */
export const makeDetachedSlave = (tree: number, name: string) =>
  setAttributes(tree, MS_SLAVE, `make ${name} a slave mount`)

/** mount(2) does it before Linux 5.12. It takes a path: that of the working directory is one that nobody can redirect. */
function setPropagation(fd: number, propagation: number, action: string): void {
  if (setAttributes(fd, propagation, action)) return
  checked(unmounts().fchdir(fd), 'fchdir', action)
  try {
    checked(mounts().mount(null, HERE, null, propagation, null), 'mount', action)
  } finally {
    unmounts().chdir(ROOT)
  }
}

/** Returns false where the kernel has no mount_setattr(2). */
function setAttributes(fd: number, propagation: number, action: string): boolean {
  // struct mount_attr: attr_set, attr_clr, propagation, userns_fd, 8 bytes each.
  const attributes = new BigUint64Array([0n, 0n, BigInt(propagation), 0n])
  const size = attributes.byteLength
  const result = calls().syscall(SYS_MOUNT_SETATTR, fd, EMPTY, AT_EMPTY_PATH, attributes, size)
  if (result === -1 && errno() === ENOSYS) return false
  checked(result, 'mount_setattr', action)
  return true
}

/**
 * An O_PATH descriptor of `path` below `root`: no symbolic or magic link is followed and nothing above
 * `root` is reached, whatever the path says.
 */
export function openBeneath(root: number, path: string): number {
  return checked(resolveBeneath(root, path), 'openat2', `open ${path}`)
}

/** An O_PATH descriptor as of `openBeneath`, `undefined` where there is no such file. */
export function findBeneath(root: number, path: string): number | undefined {
  return present(resolveBeneath(root, path), 'openat2', `open ${path}`)
}

/** Returns a descriptor, or -1. */
function resolveBeneath(root: number, path: string): number {
  // struct open_how: flags, mode, resolve, 8 bytes each.
  const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS
  const how = new BigUint64Array([BigInt(O_PATH | O_CLOEXEC), 0n, BigInt(resolve)])
  return openat2().syscall(SYS_OPENAT2, root, cstring(path), how, how.byteLength)
}

/**
 * Checks a result as `checked` does, but gives `undefined` for a file that is not there: that is normal, and an error
 * takes half a millisecond to make.
 */
function present(fd: number, syscall: string, action: string): number | undefined {
  return fd === -1 && errno() === ENOENT ? undefined : checked(fd, syscall, action)
}

/** f_type of statfs(2): the magic number of the file system that `fd` lies on. */
export function fileSystemType(fd: number, name: string): number {
  const statfs = new BigUint64Array(15)
  checked(calls().fstatfs(fd, statfs), 'fstatfs', `ask for the file system of ${name}`)
  return Number(statfs[0])
}

export const PROC_SUPER_MAGIC = 0x9fa0
export const SYSFS_MAGIC = 0x62656572
export const TMPFS_MAGIC = 0x01021994

const EMPTY = cstring('')
const HERE = cstring('.')
const ROOT = cstring('/')
