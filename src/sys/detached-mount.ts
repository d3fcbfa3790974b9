/** A file system that is mounted nowhere: fsopen(2), fsconfig(2), fsmount(2). Only its descriptor leads to it. */

import { checked, cstring, int, libc, long, pointer } from './libc.ts'

// These system calls have one number on every architecture; glibc before 2.36 has no names for them.
const SYS_FSOPEN = 430
const SYS_FSCONFIG = 431
const SYS_FSMOUNT = 432

const FSOPEN_CLOEXEC = 1
const FSMOUNT_CLOEXEC = 1
const FSCONFIG_SET_FLAG = 0
const FSCONFIG_CMD_CREATE = 6

const opening = libc({ syscall: { args: [long, pointer, long], returns: int } })
const mounting = libc({
  syscall: { args: [long, long, long, pointer, pointer, long], returns: int },
  close: { args: [int], returns: int },
})

/**
 * A descriptor of the root directory of a file system of this type. Throws where the kernel has no such file system.
 * `flags` are mount options without a value, such as `ro`.
 */
export function openDetachedMount(type: string, ...flags: string[]): number {
  const action = `mount ${type} without a place`
  const context = checked(
    opening().syscall(SYS_FSOPEN, cstring(type), FSOPEN_CLOEXEC),
    'fsopen',
    action,
  )
  const { syscall, close } = mounting()
  try {
    for (const flag of flags) {
      const result = syscall(SYS_FSCONFIG, context, FSCONFIG_SET_FLAG, cstring(flag), null, 0)
      checked(result, 'fsconfig', action)
    }
    checked(syscall(SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, null, null, 0), 'fsconfig', action)
    return checked(syscall(SYS_FSMOUNT, context, FSMOUNT_CLOEXEC, null, null, 0), 'fsmount', action)
  } finally {
    close(context)
  }
}
