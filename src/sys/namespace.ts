/** Mount namespaces: setns(2), unshare(2). */

import { closeSync, openSync } from 'node:fs'
import { O_PATH } from '../host/open-path.ts'
import { SysError } from './error.ts'
import { checked, cstring, errno, int, libc, pointer } from './libc.ts'

const CLONE_FS = 0x200
const CLONE_NEWNS = 0x20000
const EINVAL = 22

/** The run time has no more than a few threads to start. */
const ATTEMPTS = 100

const calls = libc({
  setns: { args: [int, int], returns: int },
  unshare: { args: [int], returns: int },
  fchdir: { args: [int], returns: int },
  chroot: { args: [pointer], returns: int },
})

const HERE = cstring('.')

/**
 * Runs `action` with this thread in the mount namespace that `namespace` is open on, and comes back also when it
 * throws. Root and working directory stay our own: a path that the run time opens by itself, such as
 * /proc/self/statm, is never one that the container has put there. `action` goes by descriptors.
 */
export const inMountNamespace = <T>(namespace: number, action: () => T): T =>
  elsewhere(root => enter(namespace, root, "enter the container's mount namespace"), action)

/**
 * Runs `action` with this thread in a mount namespace that nobody else has: a copy of this one, gone afterwards. What is
 * mounted there must not be shared with the mounts here.
 */
export const inOwnMountNamespace = <T>(action: () => T): T =>
  elsewhere(
    () => checked(calls().unshare(CLONE_NEWNS), 'unshare', 'make a mount namespace'),
    action,
  )

function elsewhere<T>(go: (root: number) => void, action: () => T): T {
  const own = openSync('/proc/thread-self/ns/mnt', 'r')
  const root = openSync('/', O_PATH)
  try {
    go(root)
    try {
      return action()
    } finally {
      enter(own, root, 'come back from a mount namespace')
    }
  } finally {
    closeSync(own)
    closeSync(root)
  }
}

/**
 * setns refuses a thread that shares its root and working directory with others, and any thread that the run time
 * starts between the two calls shares them with this one again: then both are made once more.
 */
function enter(namespace: number, root: number, action: string): void {
  const { unshare, setns, fchdir, chroot } = calls()
  for (let left = ATTEMPTS; ; left--) {
    checked(unshare(CLONE_FS), 'unshare', 'leave the shared working directory')
    // setns(2) makes the namespace's root ours. Nothing is allocated until it no longer is: so nothing is opened.
    const entered = setns(namespace, CLONE_NEWNS)
    const moved = entered === 0 ? fchdir(root) : entered
    const changed = moved === 0 ? chroot(HERE) : moved
    if (changed === 0) return
    const failure = errno()
    if (failure !== EINVAL || entered === 0 || left === 1)
      throw new SysError('setns', failure, action)
  }
}
