/** Merges what several runtimes say of one container: docker's containers are also containerd's and runc's. */

import type { Running } from './claim.ts'
import type { Proven } from './proof.ts'

/** A runtime that registers with systemd-machined(8), as nspawn does, ranks like nspawn. */
const OTHER = 'nspawn'

/** A name of a container goes to terminals, and whoever starts the container chooses it. */
const NAME = /^[\x21-\x7e]{1,512}$/

export const isName = (text: string) => NAME.test(text)

/** Returns each process once, sorted by id. `ranks` has the names of the runtimes, the one that knows best first. */
export function mergeClaims(claims: readonly Proven[], ranks: readonly string[]): Running[] {
  const rankOf = ({ runtime }: Proven) => ranks.indexOf(ranks.includes(runtime) ? runtime : OTHER)
  const ranked = claims.toSorted(
    (a, b) => Number(b.trusted) - Number(a.trusted) || rankOf(a) - rankOf(b),
  )
  const trustedIds = new Set(claims.filter(claim => claim.trusted).map(({ id }) => id))
  const groups = new Map<number, Proven[]>()
  for (const claim of ranked) {
    // A user may give a container the id of one of root's containers; the user's container does not take that one's
    // place.
    if (!claim.trusted && trustedIds.has(claim.id)) continue
    const group = groups.get(claim.pid)
    if (group === undefined) groups.set(claim.pid, [claim])
    else group.push(claim)
  }
  return [...groups.values()].map(mergeGroup).sort(compare)
}

/** The first claim of a group knows best. What it does not say is taken from the other claims with the same id. */
function mergeGroup(group: readonly Proven[]): Running {
  const [first, ...others] = group as [Proven, ...Proven[]]
  const { id, runtime, pid, startTicks, trusted } = first
  const same = [first, ...others.filter(claim => claim.id === id)]
  const name = same.map(claim => claim.name).find(each => each !== undefined && isName(each))
  const rootfs = same.map(claim => claim.rootfs).find(path => path !== undefined) ?? '/'
  const annotations = Object.fromEntries(
    same.toReversed().flatMap(claim => Object.entries(claim.annotations)),
  )
  return {
    id,
    ...(name === undefined ? {} : { name }),
    runtime,
    pid,
    startTicks,
    rootfs,
    annotations,
    ...(trusted ? {} : { ofUser: true }),
  }
}

const compare = (a: Running, b: Running) => (a.id < b.id ? -1 : a.id > b.id ? 1 : a.pid - b.pid)
