/**
 * Checks whether a process is what a claim says. A pid alone proves nothing: the process may have ended, and its pid
 * may be another's by now. A state may also have been written by a user who wants our files in somebody else's
 * process.
 */

import { parseCgroupPaths } from '../cgroup/hierarchy.ts'
import { isId } from '../container/container.ts'
import { readStartTicks } from '../container/identity.ts'
import { isNamedAfter } from '../container/own-cgroups.ts'
import type { Host } from '../host/host.ts'
import type { Claim } from './claim.ts'

/** A map of users has at most 340 lines, and a process is in at most some 15 cgroups with paths of up to 4096. */
const MOST_PROCESS_BYTES = 128 * 1024

/** A claim whose process runs. */
export interface Proven extends Claim {
  startTicks: number
  /** Whether the state was written by root or by our own user: see `isTrusted`. */
  trusted: boolean
}

/** The number of all ids. The map of the first user namespace has as many: user_namespaces(7). */
const ALL_IDS = 2 ** 32 - 1

/**
 * Returns the claims that are proven. A claim without a start time counts if a claim with a start time says the same,
 * or if the process's cgroup does.
 */
export function prove(host: Host, claims: readonly Claim[]): Proven[] {
  const timed = claims.filter(claim => claim.startTicks !== undefined)
  const proven = timed.flatMap(claim => proveOne(host, claim))
  const keys = new Set(proven.map(keyOf))
  const untimed = claims.filter(claim => claim.startTicks === undefined)
  const supported = untimed.filter(claim => keys.has(keyOf(claim)) || isInNamedCgroup(host, claim))
  const pids = new Map(proven.map(({ pid, id }) => [pid, id]))
  // A pid that a claim with a start time gives to one container is no longer another's.
  const others = supported.filter(({ pid, id }) => (pids.get(pid) ?? id) === id)
  return [...proven, ...others.flatMap(claim => proveOne(host, claim))]
}

function proveOne(host: Host, claim: Claim): Proven[] {
  if (!isId(claim.id)) return []
  const startTicks = tryReadStartTicks(host, claim.pid)
  if (startTicks === undefined || (claim.startTicks ?? startTicks) !== startTicks) return []
  if (sharesHostMounts(host, claim.pid)) return []
  const trusted = isTrusted(claim)
  return trusted || belongsToOwner(host, claim) ? [{ ...claim, startTicks, trusted }] : []
}

const keyOf = ({ pid, id }: Claim) => `${pid} ${id}`

function tryReadStartTicks(host: Host, pid: number): number | undefined {
  try {
    return readStartTicks(host, pid)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Whether the claim's id, or the name that the claim gives instead, is a name in the path of the process's cgroup. */
function isInNamedCgroup(host: Host, { pid, id, cgroupName = id }: Claim): boolean {
  const paths = Object.values(
    parseCgroupPaths(host.tryRead(`proc/${pid}/cgroup`, MOST_PROCESS_BYTES) ?? ''),
  )
  return paths.some(path => path.split('/').some(name => isNamedAfter(name, cgroupName)))
}

/** A process that sees the host's own mounts is no container, whatever a state says. */
function sharesHostMounts(host: Host, pid: number): boolean {
  const own = host.tryReadLink(`proc/${pid}/ns/mnt`)
  return own !== undefined && own === host.tryReadLink('proc/1/ns/mnt')
}

/** A state is believed when root wrote it, or when we could have written it ourselves. */
const isTrusted = ({ ownerUid }: Claim) => ownerUid === 0 || ownerUid === process.geteuid?.()

/**
 * Whether a range of the process's user namespace begins with the user, which only that user or root can have written.
 */
function belongsToOwner(host: Host, { pid, ownerUid }: Claim): boolean {
  const map = host.tryRead(`proc/${pid}/uid_map`, MOST_PROCESS_BYTES) ?? ''
  return map.split('\n').some(line => {
    const [, outside, count = ALL_IDS] = line.trim().split(/\s+/).map(Number)
    return outside === ownerUid && count < ALL_IDS
  })
}
