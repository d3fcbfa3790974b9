/** One controller's cgroup of a container, and the way up to the root of its hierarchy. */

import { Directory } from '../host/directory.ts'
import { DirectoryFile } from '../host/directory-file.ts'
import type { Clock, Host } from '../host/host.ts'
import type { Hierarchy } from './hierarchy.ts'

/** Gives the cgroups above others: one object for all that have the same ancestor. */
export interface Ancestry {
  /** The cgroup in the same hierarchy whose path is `path`. To be released when it is not used any more. */
  ancestor(of: Group, path: string): Group
  release(ancestor: Group): void
}

export class Group extends Directory {
  readonly version: 1 | 2
  readonly hierarchy: Hierarchy
  /** Whether a file of this very cgroup could not be read: the cgroup may be gone. */
  isMissed = false
  readonly #host: Host
  readonly #ancestry: Ancestry
  /** The directory's inode number, where it is to be told from another one with the same path. */
  #inode: number | undefined
  #levels: readonly Group[] | undefined

  constructor(host: Host, hierarchy: Hierarchy, path: string, ancestry: Ancestry = UNSHARED) {
    super(host, hierarchy.mountPoint, path)
    this.version = hierarchy.version
    this.hierarchy = hierarchy
    this.#host = host
    this.#ancestry = ancestry
  }

  get clock(): Clock {
    return this.#host.clock
  }

  protected fileOf(name: string): DirectoryFile {
    const isListing = LISTINGS.has(name)
    return new DirectoryFile(this, name, isListing, isListing ? MOST_LISTING_BYTES : MOST_BYTES)
  }

  protected lose(): void {
    this.isMissed = true
    losses.count++
  }

  /** Reads a file that is mostly not there, of which nothing is remembered. */
  readOnce(name: string): string | undefined {
    const text = this.#host.tryRead(`${this.path}/${name}`)
    if (text !== undefined && !this.isReplaced()) return text
    if (!this.exists()) this.lose()
    return undefined
  }

  /**
   * From now on only the directory with this inode number is the cgroup, or the one that is there now. kernfs gives no
   * number twice where an inode number has 64 bits: __kernfs_new_node() of fs/kernfs/dir.c. Returns the number.
   *
   * The files that are kept open need no look at it: they give ENODEV when the cgroup was removed. A file that is opened
   * by its path is read first, and then the directory is looked at: it was removed and made again before, or not at all.
   */
  identify(inode = this.#host.inode(this.path)): number | undefined {
    this.#inode = inode
    return inode
  }

  get isIdentified(): boolean {
    return this.#inode !== undefined
  }

  override exists(): boolean {
    return this.#inode === undefined ? super.exists() : this.#host.inode(this.path) === this.#inode
  }

  isReplaced(): boolean {
    if (this.#inode === undefined) return false
    return (this.#host.inode(this.path) ?? this.#inode) !== this.#inode
  }

  /** Closes the files of this cgroup, and of ancestors that nobody else uses. */
  override close(): void {
    super.close()
    for (const level of this.#levels ?? []) if (level !== this) this.#ancestry.release(level)
    this.#levels = undefined
  }

  /** This cgroup, then its ancestors without the root, which has no limits of its own; up to a limit. */
  levels(): readonly Group[] {
    this.#levels ??= this.#findLevels()
    return this.#levels
  }

  #findLevels(): Group[] {
    const levels: Group[] = [this]
    let path = this.below
    while (levels.length < MOST_LEVELS) {
      path = path.slice(0, path.lastIndexOf('/'))
      if (path === '') break
      levels.push(this.#ancestry.ancestor(this, path))
    }
    return levels
  }

  /** The cgroup with this path in the same hierarchy. */
  sibling(path: string, ancestry?: Ancestry): Group {
    return new Group(this.#host, this.hierarchy, path, ancestry)
  }

  /** The cgroups directly below this one, which are its directories; at most so many of them. */
  children(most: number): Group[] {
    if (this.isReplaced()) return []
    return this.#host
      .directories(this.path, most)
      .map(name => this.sibling(`${this.below}/${name}`))
  }
}

/** Makes an ancestor for each that asks. */
const UNSHARED: Ancestry = {
  ancestor: (of, path) => of.sibling(path),
  release: ancestor => ancestor.close(),
}

/** How often a file of any cgroup could not be read: who has seen no more of them has lost none. */
export const losses = { count: 0 }

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
