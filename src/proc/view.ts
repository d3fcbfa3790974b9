/**
 * What a file may ask of a container and its host. Every call reads the system at that moment; what the
 * kernel does not offer for this container is `undefined`, and the file then shows the host's value.
 */

import type { HugePages } from '../cgroup/hugetlb.ts'
import type { Memory } from '../cgroup/memory.ts'
import type { EventCounts } from '../cgroup/memory-events.ts'
import type { NumaStat } from '../cgroup/numa-stat.ts'
import type { CpuTimes } from './cpu/time.ts'
import type { VisibleCpus } from './cpu/visible.ts'
import type { VisibleDisk } from './disk/visible.ts'
import type { Load, Threads } from './load.ts'
import type { Options } from './options.ts'

/** Text of a host's file as bytes, which hold until the file is asked for again. */
export interface HostText {
  readonly buffer: Uint8Array
  /** So many bytes at the start of the buffer are the text. */
  readonly length: number
  /** Another number for every other text. */
  readonly version: number
}

export interface View {
  readonly options: Readonly<Options>
  /**
   * Text of a host file such as `proc/meminfo`. Throws when the host has none. With a `witness`, which changes when
   * the text changes in what matters, it may be a second old.
   */
  hostFile(path: string, witness?: string | number): string
  /** The same text as bytes. Throws as `hostFile` does. */
  hostText(path: string): HostText
  memory(): Memory | undefined
  /** What has happened to the container's memory, with its block I/O. It holds until another container is asked. */
  events(): EventCounts | undefined
  /** The container's memory by node, `undefined` where the kernel does not count that. */
  numaStat(): NumaStat | undefined
  /** The host's nodes that the container may allocate on, ascending; `undefined` when these are all. */
  nodes(): readonly number[] | undefined
  /** Huge pages of one size in kibibytes; `undefined` without a limit on them. */
  hugePages(pageKib: number): HugePages | undefined
  /** The sizes of huge pages that the machine has, in kibibytes. */
  hugePageSizes(): readonly number[]
  cpus(): VisibleCpus
  /** CPU time since the container's start, accumulated up to now. */
  cpuTimes(): CpuTimes
  /** What the container's time namespace adds to CLOCK_BOOTTIME; mostly 0. */
  bootOffsetUsec(): number
  /**
   * Time since the container's init was created, as CLOCK_BOOTTIME counts it; in a time namespace, what that clock
   * says.
   */
  uptimeUsec(): number | undefined
  load(): Load | undefined
  /** What the container's threads do, of `load`. */
  threads(): Threads | undefined
  /** Devices to list, in the host's order, and their counters; `undefined` for a process of the host. */
  disks(): VisibleDisk[] | undefined
  /** Text of a file such as `cpu.pressure` of the container's own cgroup in the unified hierarchy. */
  pressure(file: string): string | undefined
}
