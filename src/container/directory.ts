/**
 * Registered containers by slot and by cgroup, for questions that come with every read: nothing of it is read again
 * until a registration changes.
 */

import type { CgroupPaths } from '../cgroup/hierarchy.ts'
import type { Container } from './container.ts'
import type { Registry } from './registry.ts'

/** The kernel stamps changes with the time of its last tick: two within one look like one. */
const TICK_NS = 20_000_000n

export class Directory {
  readonly #registry: Registry
  #changedNs = -1n
  #bySlot = new Map<number, Container>()
  /** Slots by controller and path. */
  #byCgroup = new Map<string, number>()

  constructor(registry: Registry) {
    this.#registry = registry
  }

  findSlot(slot: number): Container | undefined {
    this.#refresh()
    return this.#bySlot.get(slot)
  }

  /** The container whose cgroup is the nearest one above these, or these themselves, in any one hierarchy. */
  findNearest(cgroups: CgroupPaths): number | undefined {
    this.#refresh()
    let nearest: number | undefined
    let depth = 0
    for (const [controller, path] of Object.entries(cgroups)) {
      for (let end = path.length; end > depth && end > 1; end = path.lastIndexOf('/', end - 1)) {
        const slot = this.#byCgroup.get(`${controller}:${path.slice(0, end)}`)
        if (slot === undefined) continue
        nearest = slot
        depth = end
      }
    }
    return nearest
  }

  #refresh(): void {
    const changedNs = this.#registry.changedNs()
    if (changedNs === this.#changedNs) return
    this.#bySlot = new Map()
    this.#byCgroup = new Map()
    for (const container of this.#registry.containers()) {
      this.#bySlot.set(container.slot, container)
      for (const [controller, path] of Object.entries(container.cgroups)) {
        if (path !== '/') this.#byCgroup.set(`${controller}:${path}`, container.slot)
      }
    }
    const isSettled = BigInt(Date.now()) * 1_000_000n - changedNs > TICK_NS
    this.#changedNs = isSettled ? changedNs : -1n
  }
}
