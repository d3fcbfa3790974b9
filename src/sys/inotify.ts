/** Learns from the kernel what changes in directories: inotify(7). Nothing here looks at them again and again. */

import { closeSync, readSync } from 'node:fs'
import { type InotifyEvent, parseInotifyEvents } from '../host/inotify.ts'
import { errorCode, SysError } from './error.ts'
import { checked, cstring, errno, int, libc, pointer } from './libc.ts'
import { Sigio } from './sigio.ts'

const IN_NONBLOCK = 0o4000
const IN_CLOEXEC = 0o2000000

const ENOENT = 2
const EACCES = 13
const ENOTDIR = 20
const ELOOP = 40
/** What inotify_add_watch(2) says of a path at which there is no directory that can be watched. */
const ABSENT: ReadonlySet<number> = new Set([ENOENT, EACCES, ENOTDIR, ELOOP])

/** Some hundred events. What is left is read next. */
const READ_BYTES = 64 * 1024

const calls = libc({
  inotify_init1: { args: [int], returns: int },
  inotify_add_watch: { args: [int, pointer, int], returns: int },
  inotify_rm_watch: { args: [int, int], returns: int },
})

export class Inotify {
  readonly #fd: number
  readonly #sigio: Sigio
  readonly #take: (events: InotifyEvent[]) => void
  readonly #buffer = Buffer.allocUnsafe(READ_BYTES)

  /** `take` gets the events, from when `begin` is called. Throws where the system has no room for another instance. */
  constructor(take: (events: InotifyEvent[]) => void) {
    this.#fd = checked(calls().inotify_init1(IN_NONBLOCK | IN_CLOEXEC), 'inotify_init1', ACTION)
    this.#take = take
    this.#sigio = new Sigio(this.#fd, () => this.begin())
  }

  /** Tells what has come, and then what comes. */
  begin(): void {
    // What comes between the last look and the signal is not told, so the signal is asked for first.
    this.#sigio.arm()
    for (;;) {
      const events = this.#read()
      if (events.length === 0) return
      this.#take(events)
    }
  }

  #read(): InotifyEvent[] {
    try {
      const size = readSync(this.#fd, this.#buffer)
      return parseInotifyEvents(this.#buffer.subarray(0, size))
    } catch (error) {
      if (errorCode(error) === 'EAGAIN') return []
      throw error
    }
  }

  /**
   * Returns the watch of a directory, the same one when it is watched already; `undefined` when there is no directory.
   * Throws when the system has no room for another watch.
   */
  add(path: string, mask: number): number | undefined {
    const wd = calls().inotify_add_watch(this.#fd, cstring(path), mask)
    if (wd !== -1) return wd
    const failure = errno()
    if (ABSENT.has(failure)) return undefined
    throw new SysError('inotify_add_watch', failure, `watch ${path}`)
  }

  /** Does nothing to a watch that ended with its directory. */
  remove(wd: number): void {
    calls().inotify_rm_watch(this.#fd, wd)
  }

  close(): void {
    this.#sigio.close()
    closeSync(this.#fd)
  }
}

const ACTION = 'watch directories; sysctl fs.inotify.max_user_instances may be too low'
