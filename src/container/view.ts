/**
 * One container's view: reads its cgroups, its init and the host, and hands them to the files in proc/. It keeps
 * what the kernel has no counter for: CPU time, load averages, disk counters.
 */

import { type Cgroup, openCgroup } from '../cgroup/cgroup.ts'
import { parseCpuList } from '../cgroup/cpuset.ts'
import type { CgroupPaths, Hierarchies } from '../cgroup/hierarchy.ts'
import type { HugePages } from '../cgroup/hugetlb.ts'
import type { Memory } from '../cgroup/memory.ts'
import type { Host } from '../host/host.ts'
import { CpuAccount, type CpuTimes } from '../proc/cpu-times.ts'
import { type VisibleCpus, visibleCpus } from '../proc/cpus.ts'
import type { VisibleDisk } from '../proc/disks.ts'
import type { Load } from '../proc/loadavg.ts'
import type { Options } from '../proc/options.ts'
import { parseHostCpus } from '../proc/stat.ts'
import type { View } from '../proc/view.ts'
import { Disks } from './disks.ts'
import { LoadSampler } from './load.ts'

/** What a view is of: a container, or a process that stands for one. */
export interface Subject {
  cgroups: CgroupPaths
  /** Its init, and when that was created; `undefined` for a process of the host. */
  pid: number | undefined
  startTicks: number | undefined
  /** See Container; `undefined` where nobody registered it. */
  rootMount?: number | undefined
}

/** sysconf(_SC_CLK_TCK) is 100 on every architecture that we run on. */
const USEC_PER_TICK = 10_000

export class ContainerView implements View {
  readonly options: Readonly<Options>
  readonly #host: Host
  readonly #subject: Subject
  readonly #cgroup: Cgroup
  readonly #cpuAccount: CpuAccount
  readonly #load: LoadSampler | undefined
  readonly #disks: Disks | undefined

  constructor(host: Host, hierarchies: Hierarchies, subject: Subject, options: Readonly<Options>) {
    this.options = options
    this.#host = host
    this.#subject = subject
    this.#cgroup = openCgroup(host, hierarchies, subject.cgroups)
    this.#cpuAccount = new CpuAccount(options)
    const { tasks, freezer } = this.#cgroup
    this.#load = tasks && new LoadSampler(host, tasks, freezer)
    const { pid, startTicks, rootMount } = subject
    if (pid !== undefined && startTicks !== undefined) {
      this.#disks = new Disks(host, { pid, startTicks, rootMount }, options)
    }
  }

  hostFile(path: string): string {
    return this.#host.read(path)
  }

  memory(): Memory | undefined {
    return this.#cgroup.memory?.read()
  }

  hugePages(pageKib: number): HugePages | undefined {
    return this.#cgroup.hugetlb?.read(pageKib)
  }

  cpus(): VisibleCpus {
    const { cpuset, cpuBandwidth } = this.#cgroup
    const online = parseCpuList(this.#host.read('sys/devices/system/cpu/online'))
    return visibleCpus(online, cpuset?.cpus(), cpuBandwidth?.quota(), this.options)
  }

  cpuTimes(): CpuTimes {
    return this.#cpuAccount.advance({
      monotonicUsec: this.#host.clock.monotonicUsec(),
      ageUsec: this.ageUsec(),
      cpus: this.cpus(),
      usage: this.#cgroup.cpuUsage?.usage(),
      hostCpus: () => parseHostCpus(this.#host.read('proc/stat')),
    })
  }

  ageUsec(): number | undefined {
    const { startTicks } = this.#subject
    if (startTicks === undefined) return undefined
    return Math.max(0, this.#host.clock.boottimeUsec() - startTicks * USEC_PER_TICK)
  }

  load(): Load | undefined {
    return this.#load?.load()
  }

  disks(): VisibleDisk[] | undefined {
    return this.#disks?.read(this.#cgroup.io)
  }

  pressure(file: string): string | undefined {
    return this.#cgroup.unified?.read(file)
  }

  /** See Views.tick. */
  tick(): number | undefined {
    return this.#load?.tick()
  }
}
