/** What the state of one runtime says of one container, before anything is checked against the process it names. */

export interface Claim {
  runtime: string
  id: string
  pid: number
  /** As the runtime recorded it: /proc/PID/stat field 22; `undefined` where it records none. */
  startTicks: number | undefined
  name: string | undefined
  /** Absolute; `undefined` when this state does not say. */
  rootfs: string | undefined
  annotations: Readonly<Record<string, string>>
  /** Who could write the state: what a user wrote is believed only of that user's processes. */
  ownerUid: number
  /** What the process's cgroup is named after when it is not the id. */
  cgroupName?: string
}

export interface Running {
  id: string
  /** What its users call it. */
  name?: string
  runtime: string
  /** Of its init, on the host; one process only together with `startTicks`. */
  pid: number
  /** When the init was created: /proc/PID/stat field 22. */
  startTicks: number
  /** In the host's mount namespace; `/` when no state says. */
  rootfs: string
  /** Of its config.json, where one is in reach. */
  annotations: Readonly<Record<string, string>>
}
