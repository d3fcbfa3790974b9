/** The cgroups of all containers of a host. Ancestors are shared: most containers lie side by side in one cgroup. */

import type { Host } from '../host/host.ts'
import { type Ancestry, Group } from './group.ts'
import { type CgroupPaths, type Hierarchies, readHierarchies } from './hierarchy.ts'

interface Shared {
  group: Group
  /** How many cgroups below have asked for it and not released it. */
  users: number
}

export class Groups implements Ancestry {
  readonly host: Host
  readonly #hierarchies: Hierarchies
  /** By the path on the host. */
  readonly #shared = new Map<string, Shared>()

  constructor(host: Host, hierarchies: Hierarchies = readHierarchies(host)) {
    this.host = host
    this.#hierarchies = hierarchies
  }

  /**
   * The cgroup of `controller`, `undefined` when the process is not placed in one: no such controller, the
   * hierarchy's root, or a path outside our cgroup namespace (`/..`).
   */
  find(paths: CgroupPaths, controller: string): Group | undefined {
    const hierarchy = this.#hierarchies.get(controller)
    if (hierarchy === undefined) return undefined
    const path = hierarchy.version === 1 ? paths[controller] : paths['']
    if (path === undefined || path === '/' || !path.startsWith('/')) return undefined
    if (isOutside(path)) return undefined
    return new Group(this.host, hierarchy, path, this)
  }

  ancestor(of: Group, path: string): Group {
    const key = of.hierarchy.mountPoint + path
    const known = this.#shared.get(key)
    if (known !== undefined) {
      known.users++
      return known.group
    }
    const group = of.sibling(path, this)
    this.#shared.set(key, { group, users: 1 })
    return group
  }

  release(ancestor: Group): void {
    const known = this.#shared.get(ancestor.path)
    if (known === undefined || --known.users > 0) return
    this.#shared.delete(ancestor.path)
    ancestor.close()
  }

  /** How many cgroups are shared. */
  get size(): number {
    return this.#shared.size
  }
}

/**
 * fs/kernfs/dir.c writes `/../../box` for what is outside of a namespace's root. No cgroup is called `..`, while one may
 * be called `..hidden`.
 */
const isOutside = (path: string) => /\/\.\.(?:\/|$)/.test(path)
