/**
 * The shared mount, of which others may rob the keeper: umount(8) takes it off its place, and with --force ends the whole
 * connection. So the keeper holds a copy of the mount that is mounted nowhere. While that is there the connection lives,
 * and the copy can be put in the place of the mount.
 */

import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { type Host, orUndefined } from '../../host/host.ts'
import { findMount, parseMounts } from '../../host/mountinfo.ts'
import { mountIdOf, O_PATH } from '../../host/open-path.ts'
import { ask } from '../../mount/ask.ts'
import { findServed, mountFuse, refuseForeign, unmountAll } from '../../mount/served.ts'
import { moveMount, openTree, unmount } from '../../sys/mount.ts'
import { isBroken } from '../../sys/poll.ts'
import type { Settings } from '../default-settings.ts'
import { isProcessDoomed } from '../doomed.ts'
import { findAnswering } from '../status.ts'
import { FuseControl } from './fuse-control.ts'
import { Predecessor } from './predecessor.ts'
import { makeRequests } from './requests.ts'

/**
 * `off`: nothing is mounted in its place any more. `aborted`: the connection is gone, and all reads fail. `refusing`: the
 * kernel refuses all reads.
 */
export type State = 'whole' | 'off' | 'aborted' | 'refusing'

/** What is mounted there already is given so long to answer. It takes less than 1 ms, unless the machine is busy. */
const ASK_MS = 3000

/** What a server needs of a mount, and what has to outlive all servers. */
export interface Descriptors {
  /** /dev/fuse. */
  readonly fuse: number
  /** The memory into which servers read requests. */
  readonly requests: number
}

export class SharedMount implements Descriptors {
  readonly fuse: number
  readonly requests: number
  /**
   * To be set when it is found that the kernel refuses everything with ECONNREFUSED. It does so from an answer to INIT on
   * that is an error, for ever: process_init_reply() of fs/fuse/inode.c.
   */
  isRefusing = false
  readonly #host: Host
  readonly #mountPoint: string
  #id: number | undefined
  #minor: number | undefined
  /** The copy; `undefined` where the kernel makes none: before Linux 5.2. */
  #copy: number | undefined

  /** Takes the mount that is there, with the descriptors that belong to it. */
  constructor(host: Host, mountPoint: string, { fuse, requests }: Descriptors) {
    this.fuse = fuse
    this.requests = requests
    this.#host = host
    this.#mountPoint = mountPoint
    this.#look()
  }

  /** Makes a mount in the place of a dead one, or of none. Throws when it cannot be made. */
  static async make(host: Host, { mountPoint, runDirectory }: Settings): Promise<SharedMount> {
    const before = findServed(host, mountPoint)
    const answer = before && (await ask(mountPoint, ASK_MS))
    if (answer === 'answers') refuseForeign(host, mountPoint)
    // The processes that wait for a server of ours would wait for as long as that is not gone.
    const isOurs = await endLast(host, runDirectory)
    if (answer === 'silent' && isOurs) abort(host, before?.minor)
    unmountAll(host, mountPoint)
    // mkdir(2) finds no directory where a dead mount lies, so it comes after the unmounting.
    mkdirSync(mountPoint, { recursive: true })
    const fuse = openSync('/dev/fuse', constants.O_RDWR | constants.O_NONBLOCK)
    try {
      mountFuse(fuse, mountPoint)
      return new SharedMount(host, mountPoint, { fuse, requests: makeRequests() })
    } catch (error) {
      closeSync(fuse)
      throw error
    }
  }

  /** What has to be open so that the mount lives, and the next server finds what readers wait for. */
  get descriptors() {
    return { requests: this.requests, fuse: this.fuse }
  }

  /** The minor number of the mount's device, by which the kernel calls the connection. */
  get minor(): number | undefined {
    return this.#minor
  }

  /** Asks no server, and takes some 20 us where the mount is in its place. */
  get state(): State {
    if (isBroken(this.fuse)) return 'aborted'
    if (this.isRefusing) return 'refusing'
    if (this.#id !== undefined && mountIdAt(this.#mountPoint) === this.#id) {
      return 'whole'
    }
    // Another mount that lies on ours is for others to take off.
    const mountinfo = this.#host.read('proc/self/mountinfo')
    return findMount(mountinfo, this.#mountPoint) === undefined ? 'off' : 'whole'
  }

  /** Puts the copy in the place of a mount that is `off`. Returns false when there is no copy. Throws when it cannot. */
  putBack(): boolean {
    const copy = this.#copy
    if (copy === undefined) return false
    mkdirSync(this.#mountPoint, { recursive: true })
    const target = openSync(this.#mountPoint, O_PATH)
    try {
      moveMount(copy, target, this.#mountPoint)
    } finally {
      closeSync(target)
    }
    this.#dropCopy()
    this.#look()
    return true
  }

  /** Throws when the mount is in its place and cannot be taken off. */
  unmount(): void {
    this.#dropCopy()
    const id = this.#id
    if (id === undefined) return
    const mountinfo = this.#host.read('proc/self/mountinfo')
    const place = parseMounts(mountinfo).find(mount => mount.id === id)?.mountPoint
    if (place !== undefined && findMount(mountinfo, place)?.id === id) unmount(place)
  }

  close(): void {
    this.#dropCopy()
    closeSync(this.fuse)
    closeSync(this.requests)
  }

  #look(): void {
    const mount = findServed(this.#host, this.#mountPoint)
    this.#id = mount?.id
    this.#minor = mount?.minor
    this.#copy = mount && orUndefined(() => openTree(HERE, this.#mountPoint))
  }

  #dropCopy(): void {
    if (this.#copy !== undefined) closeSync(this.#copy)
    this.#copy = undefined
  }
}

function abort(host: Host, minor: number | undefined): void {
  const control = new FuseControl(host, minor)
  control.abort()
  control.close()
}

/** AT_FDCWD. */
const HERE = -100

/** The id of the mount that `path` leads to. With O_PATH the kernel asks nobody for the root of a mount. */
function mountIdAt(path: string): number | undefined {
  return orUndefined(() => {
    const fd = openSync(path, O_PATH)
    try {
      return mountIdOf(fd)
    } finally {
      closeSync(fd)
    }
  })
}

/**
 * Kills the server of an earlier mount, if it was stopped when its keeper died: what it writes into the run directory is
 * for the next server to write. Returns whether there was one.
 */
async function endLast(host: Host, runDirectory: string): Promise<boolean> {
  const pid = findAnswering(host, runDirectory)
  if (pid === undefined) return false
  if (isProcessDoomed(host, pid)) return true
  const last = orUndefined(() => new Predecessor(host, pid))
  // The pid may have become another process's before it was opened.
  if (findAnswering(host, runDirectory) === pid) await last?.end()
  else last?.close()
  return true
}
