/** One controller's cgroup of a container, and the way up to the root of its hierarchy. */

import type { Host } from '../host/host.ts'
import type { CgroupPaths, Hierarchies } from './hierarchy.ts'

export class Group {
  readonly version: 1 | 2
  readonly #host: Host
  readonly #directory: string
  readonly #mountPoint: string
  readonly #missed: (() => void) | undefined

  /** `missed` is called when a file of this very cgroup cannot be read: it may be gone. */
  constructor(
    host: Host,
    version: 1 | 2,
    mountPoint: string,
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
  read(file: string): string | undefined {
    const text = this.#host.tryRead(`${this.#directory}/${file}`)
    if (text === undefined) this.#missed?.()
    return text
  }

  exists(): boolean {
    return this.#host.has(this.#directory)
  }

  /** The next cgroup up, `undefined` at the last one below the root: the root has no limits of its own. */
  parent(): Group | undefined {
    const path = this.#directory.slice(this.#mountPoint.length, this.#directory.lastIndexOf('/'))
    return path === '' ? undefined : new Group(this.#host, this.version, this.#mountPoint, path)
  }

  /** This cgroup, then its ancestors without the root. */
  *levels(): Generator<Group> {
    for (let group: Group | undefined = this; group !== undefined; group = group.parent()) {
      yield group
    }
  }

  /** Directories below this cgroup, by name. */
  children(): Group[] {
    return this.#host
      .directories(this.#directory)
      .map(name => new Group(this.#host, this.version, this.#mountPoint, `${this.#path()}/${name}`))
  }

  #path(): string {
    return this.#directory.slice(this.#mountPoint.length)
  }
}

/**
 * The cgroup of `controller`, `undefined` when the process is not placed in one: no such controller, the
 * hierarchy's root, or a path outside our cgroup namespace (`/..`).
 */
export function findGroup(
  host: Host,
  hierarchies: Hierarchies,
  paths: CgroupPaths,
  controller: string,
  missed?: () => void,
): Group | undefined {
  const hierarchy = hierarchies.get(controller)
  if (hierarchy === undefined) return undefined
  const path = hierarchy.version === 1 ? paths[controller] : paths['']
  if (path === undefined || path === '/' || !path.startsWith('/') || path.startsWith('/..')) {
    return undefined
  }
  return new Group(host, hierarchy.version, hierarchy.mountPoint, path, missed)
}
