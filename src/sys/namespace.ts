/** Mount namespaces: setns(2), unshare(2). */

import { closeSync, openSync } from 'node:fs'
import { SysError } from './error.ts'
import { checked, errno, int, libc } from './libc.ts'

const CLONE_FS = 0x200
const CLONE_NEWNS = 0x20000
const EINVAL = 22

/** The run time has no more than a few threads to start. */
const ATTEMPTS = 100

const calls = libc({
  setns: { args: [int, int], returns: int },
  unshare: { args: [int], returns: int },
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
 * setns refuses a thread that shares its root and working directory with others, and any thread that the run time
 * starts between the two calls shares them with this one again: then both are made once more.
 */
function enter(namespace: number, action: string): void {
  for (let left = ATTEMPTS; ; left--) {
    checked(calls().unshare(CLONE_FS), 'unshare', 'leave the shared working directory')
    if (calls().setns(namespace, CLONE_NEWNS) === 0) return
    const failure = errno()
    if (failure !== EINVAL || left === 1) throw new SysError('setns', failure, action)
  }
}
