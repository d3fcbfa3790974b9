/** What the state of one runtime says of one container, before anything is checked against the process it names. */

export interface Claim {
  runtime: string
  id: string
  pid: number
  /** The start time that the runtime has recorded, /proc/PID/stat field 22; `undefined` where it records none. */
  startTicks: number | undefined
  name: string | undefined
  /** The absolute path of the root file system; `undefined` when this state does not say. */
  rootfs: string | undefined
  annotations: Readonly<Record<string, string>>
  /** The user who could write the state: what a user wrote is believed only of that user's processes. */
  ownerUid: number
  /** The name that the process's cgroup is named after, when that is not the id. */
  cgroupName?: string
}

export interface Running {
  id: string
  /** The name by which users know the container. */
  name?: string
  runtime: string
  /** The pid of the container's init on the host. It identifies one process only together with `startTicks`. */
  pid: number
  /** When the init was created: /proc/PID/stat field 22. */
  startTicks: number
  /** The path of the root file system in the host's mount namespace; `/` when no state says. */
  rootfs: string
  /** The annotations of the container's config.json, where one is in reach. */
  annotations: Readonly<Record<string, string>>
  /** Only state says so that a user wrote, and neither root nor we. */
  ofUser?: boolean
}
