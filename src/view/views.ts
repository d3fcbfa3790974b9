/**
 * The views that are in use. A view is made when its container is first read, and dropped when the kernel forgets the
 * container's nodes, or the container itself was forgotten.
 */

import { Groups } from '../cgroup/groups.ts'
import { MAX_SLOT } from '../container/container.ts'
import { hash } from '../container/identity.ts'
import { EarlierStates } from '../container/records/earlier-states.ts'
import type { Records } from '../container/records/records.ts'
import type { Registry } from '../container/registry.ts'
import { RegistryIndex } from '../container/registry-index.ts'
import type { Host } from '../host/host.ts'
import type { Options } from '../proc/options.ts'
import type { View } from '../proc/view.ts'
import { findCaller } from './caller.ts'
import { CallerViews } from './caller-views.ts'
import { ContainerView } from './container-view.ts'
import { takeOver } from './earlier-state.ts'
import { type Guard, guarded, UNGUARDED } from './guard.ts'
import { type DeviceFinder, NO_DEVICES } from './known-devices.ts'
import { keptStartTicks } from './last-known.ts'
import { PidNamespaces } from './pid-namespaces.ts'
import { Sampling } from './sampling.ts'
import type { Subject } from './subject.ts'

/** The numbers of callers' views follow those of slots. */
const CALLERS = MAX_SLOT + 1

const callerNumber = (key: string) => CALLERS + hash(key, 0)

interface ViewsSetup {
  host: Host
  registry: Registry
  /** Options that hold where a container has none of its own. */
  defaults: Readonly<Options>
  records: Records
  /** Called with what an operator may want to know. */
  report: (message: string) => void
  /** Whether somebody has a file of a container open. */
  isOpen: (slot: number) => boolean
  /** How devices are found; without it containers have none. */
  finder?: DeviceFinder
  guard?: Guard
}

export class Views {
  readonly #host: Host
  readonly #index: RegistryIndex
  readonly #namespaces: PidNamespaces
  readonly #defaults: Readonly<Options>
  readonly #records: Records
  readonly #earlier: EarlierStates
  readonly #report: (message: string) => void
  readonly #isOpen: (slot: number) => boolean
  readonly #finder: DeviceFinder | undefined
  readonly #guard: Guard
  readonly #groups: Groups
  readonly #views = new Map<number, ContainerView>()
  readonly #registry: Registry
  /** The container that the kernel's nodes of a slot were looked up for. */
  readonly #idBySlot = new Map<number, string>()
  /** Lookups that the kernel has not forgotten yet, by slot. */
  readonly #lookups = new Map<number, number>()
  readonly #callerViews = new CallerViews<ContainerView>()
  readonly #callerNumbers = new WeakMap<View, number>()
  readonly #sampling: Sampling
  /** Of the registrations when what was left of others was dropped. */
  #sweptVersion = 0

  constructor(setup: ViewsSetup) {
    const { host, registry, defaults, records, report, isOpen, finder, guard = UNGUARDED } = setup
    this.#finder = finder
    this.#guard = guard
    this.#isOpen = isOpen
    this.#host = host
    this.#sampling = new Sampling(host.clock)
    this.#registry = registry
    this.#index = new RegistryIndex(registry, report)
    this.#namespaces = new PidNamespaces(host)
    this.#defaults = defaults
    this.#records = records
    this.#earlier = new EarlierStates(records.runDirectory, slot => this.#index.mayHave(slot))
    this.#report = report
    this.#groups = new Groups(host)
  }

  /**
   * The slot of a registered container; `undefined` also where another container has the slot, or the kernel still has
   * nodes of another one that had it: one node number must not show both.
   */
  findSlot(id: string): number | undefined {
    const slot = this.#registry.find(id)?.slot
    if (slot === undefined || (this.#registry.owner(slot) ?? id) !== id) return undefined
    if (this.#lookups.has(slot) && (this.#idBySlot.get(slot) ?? id) !== id) return undefined
    this.#idBySlot.set(slot, id)
    const known = this.#views.get(slot)
    if (known !== undefined && known.id !== id) this.#drop(slot)
    return slot
  }

  /** `undefined` for a slot that nobody registered, or of which nothing is left. */
  ofSlot(slot: number): View | undefined {
    const known = this.#views.get(slot)
    if (known !== undefined) return known
    return guarded(this.#guard, slot, () => this.#openSlot(slot))
  }

  #openSlot(slot: number): ContainerView | undefined {
    const container = this.#index.findSlot(slot)
    if (container === undefined) return this.#openForgotten(slot)
    this.#sweep()
    const kept = this.#records.of(slot, container.id)
    this.#earlier.take(slot, fields => takeOver(fields, container.id, kept))
    const { id, cgroups, pid, startTicks, rootMount, options } = container
    const view = this.#open({ id, cgroups, pid, startTicks, rootMount, slot, kept }, options)
    this.#views.set(slot, view)
    return view
  }

  /**
   * A view of what is kept, for those who still have files of a container that was forgotten. Its devices and its own
   * options went with the registration: it lists no disks, and the defaults hold.
   */
  #openForgotten(slot: number): ContainerView | undefined {
    // A registration that was lost may be made again.
    const isForgotten =
      !this.#index.wasTakenAtLast(slot) && this.#registry.owner(slot) === undefined
    if (!isForgotten) return undefined
    const kept = this.#records.left(slot)
    if (kept === undefined) return undefined
    const startTicks = keptStartTicks(kept)
    if (startTicks === undefined) return undefined
    const init = { pid: undefined, startTicks }
    const left = { slot, kept, devices: NO_DEVICES, isForgotten: true }
    const view = this.#open({ cgroups: {}, ...init, ...left })
    this.#views.set(slot, view)
    return view
  }

  /** The view that the process `pid` should have by itself; `undefined` when the process cannot be found. */
  ofCaller(pid: number): View | undefined {
    const cgroups = this.#host.tryRead(`proc/${pid}/cgroup`)
    if (cgroups === undefined) return undefined
    return guarded(this.#guard, callerNumber(cgroups), () => this.#findCaller(pid, cgroups))
  }

  #findCaller(pid: number, cgroups: string): View | undefined {
    const caller = findCaller(this.#host, this.#index, this.#namespaces, { pid, cgroups })
    if ('slot' in caller) return this.ofSlot(caller.slot)
    const known = this.#callerViews.get(caller.key)
    if (known !== undefined) return known
    const view = this.#open(caller)
    this.#callerNumbers.set(view, callerNumber(caller.key))
    this.#end(this.#callerViews.add(caller.key, caller.owners(), view))
    return view
  }

  /**
   * Drops the views of containers that were forgotten. The kernel may hold their nodes for long: it forgets what
   * nobody uses only when it needs the memory.
   */
  #sweep(): void {
    const version = this.#index.versionAtLast
    if (version === this.#sweptVersion) return
    this.#sweptVersion = version
    const isLeft = (slot: number) => !this.#index.hadAtLast(slot) && !this.#isOpen(slot)
    for (const slot of this.#lookups.keys()) if (isLeft(slot)) this.#lookups.delete(slot)
    for (const slot of this.#views.keys()) if (isLeft(slot)) this.#drop(slot)
    for (const slot of this.#idBySlot.keys()) if (isLeft(slot)) this.#idBySlot.delete(slot)
    // A registration that was lost may be made again, with the same slot: its link stays until it is forgotten.
    const isForgotten = (slot: number) => this.#registry.owner(slot) === undefined
    this.#records.tidy(
      slot => this.#views.has(slot) || this.#index.hadAtLast(slot) || !isForgotten(slot),
    )
  }

  #drop(slot: number): void {
    this.#end(this.#views.get(slot))
    this.#views.delete(slot)
  }

  #end(view: ContainerView | undefined): void {
    if (view === undefined) return
    view.close()
    this.#sampling.delete(view)
  }

  /** How many containers have nodes that the kernel has not forgotten. */
  get count(): number {
    return this.#lookups.size
  }

  /** Whether the kernel has nodes of this slot. */
  isHeld(slot: number): boolean {
    return this.#lookups.has(slot)
  }

  /** A number that a view has also in the next server, below 2^45: the slot, or one that a caller shares with few. */
  numberOf(view: View): number {
    const slot = view instanceof ContainerView ? view.slot : undefined
    return slot ?? this.#callerNumbers.get(view) ?? 0
  }

  /** To be called when a file of the view is read, so that its load is sampled from then on. */
  keep(view: View | undefined): void {
    if (view instanceof ContainerView) this.#sampling.add(view)
  }

  retain(slot: number): void {
    if (slot === 0) return
    this.#lookups.set(slot, (this.#lookups.get(slot) ?? 0) + 1)
  }

  release(slot: number, lookups: number): void {
    if (slot === 0) return
    const left = (this.#lookups.get(slot) ?? 0) - lookups
    if (left > 0) {
      this.#lookups.set(slot, left)
      return
    }
    this.#lookups.delete(slot)
    this.#drop(slot)
  }

  #open(subject: Subject, options: Partial<Options> = {}): ContainerView {
    const hasOwn = Object.keys(options).length > 0
    return new ContainerView({
      groups: this.#groups,
      subject,
      options: hasOwn ? { ...this.#defaults, ...options } : this.#defaults,
      report: this.#report,
      ...(this.#finder && { finder: this.#finder }),
    })
  }

  /** Samples loads as `Sampling.tick` does. */
  tick(): number | undefined {
    return this.#sampling.tick()
  }
}
