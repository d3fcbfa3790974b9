/** The nodes of the host that are online. */

import { findCpus } from '../cgroup/cpuset.ts'
import { memoize } from '../cgroup/memoize.ts'
import { type Host, orUndefined } from '../host/host.ts'

/** Those that are in `mems`, too; `undefined` where these are all, or none: such a cpuset is stale. */
export function limitNodes(
  host: Host,
  mems: readonly number[] | undefined,
): readonly number[] | undefined {
  if (mems === undefined) return undefined
  const online = orUndefined(() => host.sample('sys/devices/system/node/online', 'nodes'))
  return online === undefined ? undefined : common(parse(online), mems)
}

const parse = memoize((text: string): readonly number[] => findCpus(text) ?? [])

const common = memoize((online: readonly number[], mems: readonly number[]) => {
  const nodes = online.filter(node => mems.includes(node))
  return nodes.length === 0 || nodes.length === online.length ? undefined : nodes
})
