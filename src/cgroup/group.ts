/** One controller's cgroup of a container, and the way up to the root of its hierarchy. */

import { type Bytes, bytesOf, type Host, type PseudoFile } from '../host/host.ts'
import type { CgroupPaths, Hierarchies, Hierarchy } from './hierarchy.ts'

export class Group {
  readonly version: 1 | 2
  readonly #host: Host
  readonly #directory: string
  readonly #mountPoint: string
  readonly #missed: (() => void) | undefined
  /** There are few files, for which an array takes less memory than a Map, and no more time. */
  readonly #files: KnownFile[] = []
  #parent: Group | undefined
  #levels: readonly Group[] | undefined

  /** `missed` is called when a file of this very cgroup cannot be read: the cgroup may be gone. */
  constructor(
    host: Host,
    { version, mountPoint }: Hierarchy,
    path: string,
    missed?: (() => void) | undefined,
  ) {
    this.version = version
    this.#missed = missed
    this.#host = host
    this.#mountPoint = mountPoint
    this.#directory = mountPoint + path
  }

  /** Text of one of this cgroup's files, `undefined` where the kernel gives none. */
  read(name: string): string | undefined {
    const known = this.#know(name)
    if (known.absentUntilUsec > 0) {
      if (this.#host.clock.monotonicUsec() < known.absentUntilUsec) return undefined
      known.absentUntilUsec = 0
    }
    const text = known.file.tryRead()
    if (text !== undefined) known.isPresent = true
    else if (!known.isPresent && this.exists()) {
      known.absentUntilUsec = this.#host.clock.monotonicUsec() + ABSENT_USEC
    } else this.#missed?.()
    return text
  }

  /** Reads as `read` does, and gives bytes that hold until the next file is read. */
  bytes(name: string): Bytes | undefined {
    return bytesOf(this.read(name))
  }

  #know(name: string): KnownFile {
    for (const known of this.#files) if (known.name === name) return known
    const listing = LISTINGS.has(name)
    const mostBytes = listing ? MOST_LISTING_BYTES : MOST_BYTES
    const file = this.#host.file(`${this.#directory}/${name}`, listing, mostBytes)
    const made: KnownFile = { name, file, isPresent: false, absentUntilUsec: 0 }
    this.#files.push(made)
    return made
  }

  /** Reads a file that is mostly not there, of which nothing is remembered. */
  readOnce(name: string): string | undefined {
    const text = this.#host.tryRead(`${this.#directory}/${name}`)
    if (text === undefined && !this.exists()) this.#missed?.()
    return text
  }

  /** Closes the files of this cgroup and its ancestors that were read. */
  close(): void {
    for (const { file } of this.#files) file.close()
    this.#parent?.close()
  }

  exists(): boolean {
    return this.#host.has(this.#directory)
  }

  /** The next cgroup up, `undefined` at the last one below the root: the root has no limits of its own. */
  parent(): Group | undefined {
    const path = this.#directory.slice(this.#mountPoint.length, this.#directory.lastIndexOf('/'))
    if (path === '') return undefined
    this.#parent ??= this.#other(path)
    return this.#parent
  }

  /** This cgroup, then its ancestors without the root, up to a limit. */
  levels(): readonly Group[] {
    if (this.#levels !== undefined) return this.#levels
    const levels: Group[] = []
    let level: Group | undefined = this
    for (; level !== undefined && levels.length < MOST_LEVELS; level = level.parent()) {
      levels.push(level)
    }
    this.#levels = levels
    return levels
  }

  /** The cgroups directly below this one, which are its directories; at most so many of them. */
  children(most: number): Group[] {
    return this.#host
      .directories(this.#directory, most)
      .map(name => this.#other(`${this.#path()}/${name}`))
  }

  /** The cgroup with this path in the same hierarchy. */
  #other(path: string): Group {
    return new Group(this.#host, { version: this.version, mountPoint: this.#mountPoint }, path)
  }

  #path(): string {
    return this.#directory.slice(this.#mountPoint.length)
  }
}

interface KnownFile {
  name: string
  file: PseudoFile
  /** Whether the file was ever read. */
  isPresent: boolean
  /**
   * Time of CLOCK_MONOTONIC until which nobody looks again for a file that never was there; a controller may be enabled
   * later. 0 when it is to be looked for.
   */
  absentUntilUsec: number
}

const ABSENT_USEC = 1_000_000

/**
 * A user who may make cgroups can nest a thousand of them, each of which is read several times for one text. The limits
 * of those that are furthest up count no more then.
 */
const MOST_LEVELS = 64

/** A listing has 8 bytes for each of 20 000 threads, and what is behind is not read. */
const MOST_LISTING_BYTES = 160 * 1024

/** The kernel gives no other file of a cgroup more than some pages: 8192 CPUs are 200 KiB in cpuacct.usage_all. */
const MOST_BYTES = 2 ** 20

/**
 * These files have a line for each thread or process. kernel/cgroup/cgroup.c gives them line by line, and all other
 * files as a whole.
 */
const LISTINGS: ReadonlySet<string> = new Set(['tasks', 'cgroup.threads', 'cgroup.procs'])

/** Where the cgroups of one process are. */
interface Whereabouts {
  host: Host
  hierarchies: Hierarchies
  paths: CgroupPaths
  /** Passed on to `Group`: called when a file of the cgroup cannot be read. */
  missed?: (() => void) | undefined
}

/**
 * The cgroup of `controller`, `undefined` when the process is not placed in one: no such controller, the
 * hierarchy's root, or a path outside our cgroup namespace (`/..`).
 */
export function findGroup(
  { host, hierarchies, paths, missed }: Whereabouts,
  controller: string,
): Group | undefined {
  const hierarchy = hierarchies.get(controller)
  if (hierarchy === undefined) return undefined
  const path = hierarchy.version === 1 ? paths[controller] : paths['']
  if (path === undefined || path === '/' || !path.startsWith('/') || path.startsWith('/..')) {
    return undefined
  }
  return new Group(host, hierarchy, path, missed)
}
