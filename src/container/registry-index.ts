/**
 * Which containers are registered, by slot and by cgroup. Every read asks for this, so the registrations are read again
 * only when one has changed. As little as will do is kept of each container: there may be thousands.
 */

import type { CgroupPaths } from '../cgroup/hierarchy.ts'
import type { Container } from './container.ts'
import type { Registry } from './registry.ts'

/**
 * No tick of the kernel lasts longer than this. It stamps a change with the time of its last tick, so that two changes
 * within one tick look like one.
 */
const TICK_NS = 20_000_000n

export class RegistryIndex {
  readonly #registry: Registry
  #changedNs = -1n
  /** `undefined` for a slot of which it cannot be told whose it is. */
  #idBySlot = new Map<number, string | undefined>()
  /** Slots by `controller:path`. The map is kept from when it is first asked for, since few containers need it. */
  #slotByCgroup: Map<string, number> | undefined

  constructor(registry: Registry) {
    this.#registry = registry
  }

  has(slot: number): boolean {
    this.#refresh()
    return this.#idBySlot.get(slot) !== undefined
  }

  /** The container that is registered with this slot; each call reads its registration. */
  findSlot(slot: number): Container | undefined {
    this.#refresh()
    const id = this.#idBySlot.get(slot)
    const container = id === undefined ? undefined : this.#registry.find(id)
    return container?.slot === slot ? container : undefined
  }

  /** The slot of the container whose cgroup, in any one hierarchy, is one of these or the nearest one above. */
  findNearest(cgroups: CgroupPaths): number | undefined {
    this.#refresh(true)
    let nearest: number | undefined
    let depth = 0
    for (const [controller, path] of Object.entries(cgroups)) {
      for (let end = path.length; end > depth && end > 1; end = path.lastIndexOf('/', end - 1)) {
        const slot = this.#slotByCgroup?.get(`${controller}:${path.slice(0, end)}`)
        if (slot === undefined) continue
        nearest = slot
        depth = end
      }
    }
    return nearest
  }

  #refresh(byCgroup = this.#slotByCgroup !== undefined): void {
    const changedNs = this.#registry.changedNs()
    const isWhole = !byCgroup || this.#slotByCgroup !== undefined
    if (changedNs === this.#changedNs && isWhole) return
    this.#idBySlot = new Map()
    this.#slotByCgroup = byCgroup ? new Map() : undefined
    const shared = new Set<number>()
    for (const { slot, id, cgroups } of this.#registry.containers()) {
      if (this.#idBySlot.has(slot)) shared.add(slot)
      this.#idBySlot.set(slot, id)
      if (this.#slotByCgroup === undefined) continue
      for (const [controller, path] of Object.entries(cgroups)) {
        if (path !== '/') this.#slotByCgroup.set(`${controller}:${path}`, slot)
      }
    }
    for (const slot of shared) this.#settle(slot)
    const isSettled = BigInt(Date.now()) * 1_000_000n - changedNs > TICK_NS
    this.#changedNs = isSettled ? changedNs : -1n
  }

  /**
   * Of containers that an earlier version gave one slot, the one that has it now is shown under it. By their cgroups
   * none of them is found.
   */
  #settle(slot: number): void {
    this.#idBySlot.set(slot, this.#registry.owner(slot))
    for (const [cgroup, other] of this.#slotByCgroup ?? []) {
      if (other === slot) this.#slotByCgroup?.delete(cgroup)
    }
  }
}
