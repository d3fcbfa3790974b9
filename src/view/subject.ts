/** Whom a view is of. */

import type { CgroupPaths } from '../cgroup/hierarchy.ts'
import type { ContainerDevices } from '../proc/disk/visible.ts'
import type { FindKept } from '../proc/kept.ts'

/** What a view shows: a container, or a process that stands for one. */
export interface Subject {
  /** `undefined` where nobody gave the container an id. */
  id?: string
  cgroups: CgroupPaths
  /** The container's init, and when it was created; both are `undefined` for a process of the host. */
  pid: number | undefined
  startTicks: number | undefined
  /** The field `rootMount` of `Container`; `undefined` where nobody registered the container. */
  rootMount?: number | undefined
  /** Those that are known already: a server's views have a DeviceFinder instead. */
  devices?: ContainerDevices
  /** Only a registered container has a slot. */
  slot?: number
  /** Whether nothing is left of the container but what is kept. */
  isForgotten?: boolean
  /** What views of this container accumulate; without it nothing outlives this view. */
  kept?: FindKept
}
