/**
 * What a service and systemd say to each other: sd_notify(3), and sd_listen_fds(3) for the descriptors that systemd has
 * kept while none of our processes was there.
 */

/** The environment variable with the socket that systemd listens to. */
const SOCKET = 'NOTIFY_SOCKET'

/** The variables that tell which descriptors were passed. No other program may take them for its own. */
const PASSED = ['LISTEN_PID', 'LISTEN_PIDFDID', 'LISTEN_FDS', 'LISTEN_FDNAMES']

/** The first descriptor that systemd passes. */
const FIRST_FD = 3

type Environment = Readonly<Record<string, string | undefined>>

/** The socket that systemd, if it has started us, listens to. */
export const notifySocket = (environment: Environment) => environment[SOCKET] || undefined

/** What a process of the service adds to the environment of another one, which may have something to say, too. */
export function passNotifySocket(environment: Environment): Record<string, string> {
  const socket = notifySocket(environment)
  return socket === undefined ? {} : { [SOCKET]: socket }
}

/** Renders a message: an assignment in each line. */
export function renderNotification(assignments: Readonly<Record<string, string>>): string {
  return Object.entries(assignments)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

/** A descriptor that systemd has kept for us, under the name that we had given it. */
export interface Passed {
  name: string
  fd: number
}

/** Returns the descriptors that were passed to process `pid`, and to no other that has the same environment. */
export function parsePassed(environment: Environment, pid: number): Passed[] {
  const { LISTEN_PID = '', LISTEN_FDS = '', LISTEN_FDNAMES = '' } = environment
  if (LISTEN_PID !== String(pid) || !/^\d{1,4}$/.test(LISTEN_FDS)) return []
  const names = LISTEN_FDNAMES.split(':')
  return Array.from({ length: Number(LISTEN_FDS) }, (_, i) => ({
    name: names[i] ?? '',
    fd: FIRST_FD + i,
  }))
}

/** Returns what `parsePassed` does, once: the variables are gone afterwards. */
export function takePassed(environment: Record<string, string | undefined>, pid: number): Passed[] {
  const passed = parsePassed(environment, pid)
  for (const name of PASSED) delete environment[name]
  return passed
}

/**
 * The descriptors of a mount that outlive our processes. Each name ends with the minor number of the mount's device: what
 * belongs to one connection is of no use to another.
 */
const KEPT = ['requests', 'fuse'] as const

export type Kept = (typeof KEPT)[number]

/** The name of the executable that has served last, which is no service's to go on with: systemd/give-up runs it. */
export const EXECUTABLE = 'executable'

/** How many descriptors systemd keeps. */
export const KEPT_COUNT = KEPT.length + 1

export const renderName = (kept: Kept, minor: number) => `${kept}-${minor}`

/** Returns what a name says; `undefined` when it is none of ours. */
export function parseName(name: string): { kept: Kept; minor: number } | undefined {
  const [, word, digits] = /^([a-z]+)-(\d{1,7})$/.exec(name) ?? []
  const kept = KEPT.find(each => each === word)
  return kept && { kept, minor: Number(digits) }
}

/** Returns the name of the unit that a process belongs to, from its /proc/PID/cgroup; `undefined` when it is in no service. */
export function parseUnit(cgroups: string): string | undefined {
  return /^(?:0::|\d+:name=systemd:).*\/([^/\n]+\.service)(?:\/|$)/m.exec(cgroups)?.[1]
}

/** Returns how many descriptors systemd keeps, from what `systemctl show` prints of the unit; 0 where it does not say. */
export function parseStored(show: string): number {
  return Number(/^NFileDescriptorStore=(\d+)$/m.exec(show)?.[1] ?? 0)
}

/** Whether a unit is stopped only to be started again, from what `systemctl list-jobs` prints: a job in each line. */
export function isRestartJob(jobs: string, unit: string): boolean {
  return jobs.split('\n').some(line => {
    const [, name, type] = line.trim().split(/\s+/)
    return name === unit && type === 'restart'
  })
}
