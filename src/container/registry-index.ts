/**
 * Which containers are registered, by slot and by cgroup. This is asked when a container is read for the first time, and
 * for callers: a registration is read again only when its own file has changed. As little as will do is kept of each
 * container: there may be thousands.
 */

import type { CgroupPaths } from '../cgroup/hierarchy.ts'
import type { Container } from './container.ts'
import type { Registry } from './registry.ts'

/**
 * No tick of the kernel lasts longer than this. It stamps a change with the time of its last tick, so that two changes
 * within one tick look like one.
 */
const TICK_MS = 20

interface Entry {
  /** Of the registration when it was read. */
  version: string
  slot: number
  /** The cgroups as `controller:path`; `undefined` where nobody has asked for them yet. */
  cgroups: readonly string[] | undefined
}

export class RegistryIndex {
  readonly #registry: Registry
  readonly #report: (message: string) => void
  /** Why not all registrations could be read when they were last looked at; `undefined` where they could. */
  #failure: unknown
  #changedNs = -1n
  #changes = 0
  readonly #entries = new Map<string, Entry>()
  /** `undefined` for a slot of which it cannot be told whose it is. */
  #idBySlot = new Map<number, string | undefined>()
  /** Slots by `controller:path`. The map is kept from when it is first asked for, since few containers need it. */
  #slotByCgroup: Map<string, number> | undefined

  /** What cannot be read at this moment stays as it was, and `report` is told once. */
  constructor(registry: Registry, report: (message: string) => void) {
    this.#registry = registry
    this.#report = report
  }

  /** Another number whenever the registrations are others, as they were when they were last looked at. */
  get versionAtLast(): number {
    return this.#changes
  }

  has(slot: number): boolean {
    this.#refresh()
    return this.hadAtLast(slot)
  }

  /** Whether the slot is registered, or may be one of those that cannot be read at this moment. */
  mayHave(slot: number): boolean {
    return this.has(slot) || this.#failure !== undefined
  }

  /** Whether the slot was registered when the registrations were last looked at. */
  hadAtLast(slot: number): boolean {
    return this.#idBySlot.get(slot) !== undefined
  }

  /** Whether a registration had the slot at the last look, also where it cannot be told whose the slot is. */
  wasTakenAtLast(slot: number): boolean {
    return this.#idBySlot.has(slot)
  }

  /** The container that is registered with this slot; each call reads its registration. Throws when it cannot be told. */
  findSlot(slot: number): Container | undefined {
    this.#refresh()
    const id = this.#idBySlot.get(slot)
    if (id === undefined && this.#failure !== undefined) throw this.#failure
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
    const isKnown = !byCgroup || this.#slotByCgroup !== undefined
    if (changedNs === this.#changedNs && isKnown) return
    const nowMs = Date.now()
    this.#tryRead(byCgroup, nowMs)
    this.#arrange(byCgroup)
    this.#changes++
    const isSettled = BigInt(nowMs - TICK_MS) * 1_000_000n > changedNs
    this.#changedNs = isSettled && this.#failure === undefined ? changedNs : -1n
  }

  #tryRead(byCgroup: boolean, nowMs: number): void {
    try {
      this.#read(byCgroup, nowMs)
      this.#failure = undefined
    } catch (error) {
      if (this.#failure === undefined) {
        this.#report(`cannot read what is registered, and goes on with what was: ${error}`)
      }
      this.#failure = error
    }
  }

  /** Reads the registrations that are others than they were. Forgets none when it throws. */
  #read(byCgroup: boolean, nowMs: number): void {
    const gone = new Set(this.#entries.keys())
    for (const id of this.#registry.ids()) {
      const stamp = this.#registry.stamp(id)
      if (stamp === undefined) continue
      const known = this.#entries.get(id)
      const isRead = known?.version === stamp.version && !(byCgroup && !known.cgroups)
      const container = isRead ? undefined : this.#registry.find(id)
      if (container !== undefined) {
        const { slot, cgroups } = container
        // What was written just now may be written again without another stamp.
        const version = stamp.changedMs < nowMs - TICK_MS ? stamp.version : ''
        const paths = byCgroup ? linesOf(cgroups) : undefined
        this.#entries.set(id, { version, slot, cgroups: paths })
      }
      if (isRead || container !== undefined) gone.delete(id)
    }
    for (const id of gone) this.#entries.delete(id)
  }

  #arrange(byCgroup: boolean): void {
    this.#idBySlot = new Map()
    this.#slotByCgroup = byCgroup ? new Map() : undefined
    const shared = new Set<number>()
    for (const [id, { slot, cgroups = [] }] of this.#entries) {
      if (this.#idBySlot.has(slot)) shared.add(slot)
      this.#idBySlot.set(slot, id)
      for (const line of cgroups) this.#slotByCgroup?.set(line, slot)
    }
    for (const slot of shared) this.#settle(slot)
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

const linesOf = (cgroups: CgroupPaths) =>
  Object.entries(cgroups).flatMap(([controller, path]) =>
    path === '/' ? [] : [`${controller}:${path}`],
  )
