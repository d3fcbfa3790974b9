/**
 * One container's view reads the container's cgroups, its init and the host, and hands what they say to the files in
 * proc/. It keeps what the kernel has no counter for: CPU time, load averages, disk counters.
 */

import type { Cgroup } from '../cgroup/cgroup.ts'
import type { Groups } from '../cgroup/groups.ts'
import type { HugePages } from '../cgroup/hugetlb.ts'
import { Memory } from '../cgroup/memory.ts'
import { type EventCounts, makeEventCounts } from '../cgroup/memory-events.ts'
import type { NumaStat } from '../cgroup/numa-stat.ts'
import type { Host } from '../host/host.ts'
import { hugePageSizes } from '../host/huge-page-sizes.ts'
import { CpuAccount } from '../proc/cpu/account.ts'
import type { CpuTimes } from '../proc/cpu/time.ts'
import { CpuFinder, type VisibleCpus } from '../proc/cpu/visible.ts'
import type { VisibleDisk } from '../proc/disk/visible.ts'
import { type FindKept, keptHere, WHAT } from '../proc/kept.ts'
import type { Load, Threads } from '../proc/load.ts'
import type { Options } from '../proc/options.ts'
import type { HostText, View } from '../proc/view.ts'
import { addBlockIo } from './block-io.ts'
import { ContainerDisks } from './container-disks.ts'
import { readHostCpus, readOnlineCpus } from './host-cpus.ts'
import { limitNodes } from './host-nodes.ts'
import type { DeviceFinder } from './known-devices.ts'
import { type Care, LastAnswers } from './last-answers.ts'
import { type LastKnown, lastKnown } from './last-known.ts'
import { LoadSampler } from './load-sampler.ts'
import { Placement } from './placement.ts'
import type { Subject } from './subject.ts'
import { TimeNamespace } from './time-namespace.ts'

/** sysconf(_SC_CLK_TCK) is 100 on every architecture that we run on. */
const USEC_PER_TICK = 10_000

interface ViewSetup {
  groups: Groups
  subject: Subject
  options: Readonly<Options>
  /** Called with what an operator may want to know. */
  report?: (message: string) => void
  finder?: DeviceFinder
}

export class ContainerView implements View {
  readonly options: Readonly<Options>
  readonly #host: Host
  readonly #subject: Subject
  readonly #placement: Placement
  readonly #answers: LastAnswers
  /** `undefined` where nothing outlives this view. */
  readonly #lasting: LastKnown | undefined
  readonly #cpuAccount: CpuAccount
  readonly #disks: ContainerDisks
  #timeNamespace: TimeNamespace | undefined
  #cpus: CpuFinder | undefined
  #load: LoadSampler | undefined
  readonly #kept: FindKept
  #memory: Memory | undefined
  #events: EventCounts | undefined

  constructor({ groups, subject, options, report = () => {}, finder }: ViewSetup) {
    this.options = options
    this.#host = groups.host
    this.#subject = subject
    const { kept, startTicks } = subject
    if (kept && startTicks !== undefined) this.#lasting = lastKnown(kept, startTicks)
    this.#kept = kept ?? keptHere()
    const { cgroup: override } = options
    const numbers = this.#kept(WHAT.cgroups)
    this.#placement = new Placement({ groups, subject, override, report, kept: numbers })
    this.#answers = new LastAnswers(this.#placement.hasEnded)
    this.#cpuAccount = new CpuAccount(options, this.#kept(WHAT.cpu))
    const { host } = groups
    this.#disks = new ContainerDisks({ host, subject, options, kept: this.#kept, finder })
    // Its sampling goes on from where an earlier server has left it.
    if (this.#kept(WHAT.load).count > 0) this.#openLoad()
  }

  #openLoad(): LoadSampler {
    const cgroup = () => this.#placement.cgroup
    const age = () => this.#ageUsec()
    this.#load ??= new LoadSampler(this.#host, cgroup, this.#kept(WHAT.load), age)
    return this.#load
  }

  get id(): string | undefined {
    return this.#subject.id
  }

  get slot(): number | undefined {
    return this.#subject.slot
  }

  /** When the load is to be sampled next; `undefined` when it is not sampled. */
  get dueUsec(): number | undefined {
    return this.#answers.hasEnded ? undefined : this.#load?.dueUsec
  }

  hasHostFile(path: string): boolean {
    return this.#host.has(path)
  }

  hostFile(path: string, witness?: string | number): string {
    return this.#host.sample(path, witness)
  }

  hostText(path: string): HostText {
    return this.#host.sampleBytes(path)
  }

  memory(): Memory | undefined {
    const lasting = this.#lasting?.memory
    return this.#ask('memory', readMemory, { copy: this.#copyMemory, lasting })
  }

  readonly #copyMemory = (read: Memory | undefined): Memory | undefined => {
    this.#memory ??= new Memory()
    return read && this.#memory.copyFrom(read)
  }

  events(): EventCounts | undefined {
    const read = ({ memory, io }: Cgroup) => memory && addBlockIo(memory.events(), io, this.#host)
    return this.#ask('events', read, { copy: this.#copyEvents, lasting: this.#lasting?.events })
  }

  readonly #copyEvents = (read: EventCounts | undefined): EventCounts | undefined => {
    this.#events ??= makeEventCounts()
    if (read !== undefined) this.#events.set(read)
    return read && this.#events
  }

  numaStat(): NumaStat | undefined {
    return this.#ask('memory by node', ({ memory }) => memory?.numaStat())
  }

  nodes(): readonly number[] | undefined {
    return this.#ask('nodes', ({ cpuset }) => limitNodes(this.#host, cpuset?.mems()))
  }

  hugePages(pageKib: number): HugePages | undefined {
    return this.#ask(`huge pages of ${pageKib} kB`, cgroup => cgroup.hugetlb?.read(pageKib))
  }

  hugePageSizes(): readonly number[] {
    return hugePageSizes(this.#host)
  }

  cpus(): VisibleCpus {
    const online = readOnlineCpus(this.#host)
    const find = ({ cpuset, cpuBandwidth }: Cgroup) => {
      this.#cpus ??= new CpuFinder(this.options)
      return this.#cpus.find(online, cpuset?.cpus(), cpuBandwidth?.quota())
    }
    return this.#ask('cpus', find, { lasting: this.#lasting?.cpus })
  }

  cpuTimes(): CpuTimes {
    const cpus = this.cpus()
    const monotonicUsec = this.#host.clock.monotonicUsec()
    if (!this.#cpuAccount.isDue(monotonicUsec, cpus)) return this.#cpuAccount.times(cpus)
    // A cgroup that was made again at the same path is another container's.
    const hasLast = () => this.#answers.hasEnded && this.#cpuAccount.hasTimes
    if (hasLast()) return this.#cpuAccount.times(cpus)
    const usage = this.#read(cgroup => cgroup.cpuUsage?.usage())
    if (hasLast()) return this.#cpuAccount.times(cpus)
    return this.#cpuAccount.advance({
      monotonicUsec,
      ageUsec: this.#ageUsec(),
      cpus,
      usage,
      hostCpus: () => readHostCpus(this.#host),
    })
  }

  #ageUsec(): number | undefined {
    const { startTicks } = this.#subject
    if (startTicks === undefined) return undefined
    const read = () => Math.max(0, this.#host.clock.boottimeUsec() - startTicks * USEC_PER_TICK)
    return this.#answers.ask('age', read, { lasting: this.#lasting?.age })
  }

  bootOffsetUsec(): number {
    this.#timeNamespace ??= new TimeNamespace(this.#host, this.#subject)
    const namespace = this.#timeNamespace
    const care = { lasting: this.#lasting?.bootOffset }
    return this.#answers.ask('boot offset', () => namespace.bootOffsetUsec(), care)
  }

  uptimeUsec(): number | undefined {
    const { startTicks = 0 } = this.#subject
    const age = this.#ageUsec()
    const offset = this.bootOffsetUsec()
    return age === undefined || offset === 0 ? age : age + startTicks * USEC_PER_TICK + offset
  }

  readonly #lastLoad = { lasting: { keep: () => {}, recall: () => this.#load?.last } }

  load(): Load | undefined {
    return this.#ask('load', () => this.#openLoad().load(), this.#lastLoad)
  }

  threads(): Threads | undefined {
    return this.#ask('threads', () => this.#openLoad().threads(), this.#lastLoad)
  }

  /** Whether the devices are looked for at this moment: see KnownDevices. */
  awaitsDevices(): boolean {
    return this.#disks.isAwaited()
  }

  disks(): VisibleDisk[] | undefined {
    return this.#ask('disks', ({ io }) => this.#disks.read(io))
  }

  pressure(file: string): string | undefined {
    return this.#ask(file, ({ unified }) => unified?.read(file))
  }

  /** Samples the load as `LoadSampler.tick` does. */
  tick(untilUsec = Number.POSITIVE_INFINITY): number | undefined {
    return this.#answers.hasEnded ? undefined : this.#load?.tick(untilUsec)
  }

  /** Closes the view's files; a question opens again what it needs. */
  close(): void {
    this.#placement.close()
  }

  /** Asks as `#read` does; when the container has ended, its last answer stays. */
  #ask<T>(question: string, read: (cgroup: Cgroup) => T, care?: Care<T>): T {
    return this.#answers.ask(question, () => this.#read(read), care)
  }

  /** Reads again where the container was moved meanwhile, and notes whether it has ended. */
  #read<T>(read: (cgroup: Cgroup) => T): T {
    const answer = read(this.#placement.cgroup)
    const place = this.#placement.check()
    this.#answers.hasEnded = place === 'ended'
    return place === 'moved' ? read(this.#placement.cgroup) : answer
  }
}

const readMemory = ({ memory }: Cgroup) => memory?.read()
