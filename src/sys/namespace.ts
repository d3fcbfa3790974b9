/** Mount namespaces and processes held by a descriptor: setns(2), unshare(2), pidfd_open(2). */

import { closeSync, openSync } from 'node:fs'
import { waitReadable } from './device.ts'
import { checked, int, libc, long } from './libc.ts'

const CLONE_FS = 0x200
const CLONE_NEWNS = 0x20000
const SYS_PIDFD_OPEN = 434

const calls = libc({
  setns: { args: [int, int], returns: int },
  unshare: { args: [int], returns: int },
  syscall: { args: [long, long, long], returns: int },
})

/**
 * Runs `action` with this thread in the mount namespace that `namespace` is open on, and comes back also when
 * it throws. Working directory and root are then those of the namespace entered, afterwards of our own.
 */
export function inMountNamespace<T>(namespace: number, action: () => T): T {
  const own = openSync('/proc/thread-self/ns/mnt', 'r')
  try {
    enter(namespace, "enter the container's mount namespace")
    try {
      return action()
    } finally {
      enter(own, 'come back from a mount namespace')
    }
  } finally {
    closeSync(own)
  }
}

/**
 * setns refuses a thread that shares its root and working directory with others, and any thread that the
 * run time starts in between shares them with this one.
 */
function enter(namespace: number, action: string): void {
  checked(calls().unshare(CLONE_FS), 'unshare', 'leave the shared working directory')
  checked(calls().setns(namespace, CLONE_NEWNS), 'setns', action)
}

/** A descriptor that stands for this very process, also after its pid is used again. */
export function openPid(pid: number): number {
  const fd = calls().syscall(SYS_PIDFD_OPEN, pid, 0)
  return checked(fd, 'pidfd_open', `find process ${pid}`)
}

/** Asked of the descriptor, so that it can be asked in any mount namespace. */
export const hasEnded = (pidfd: number) => waitReadable(pidfd, 0) > 0
