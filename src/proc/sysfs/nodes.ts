/** Which nodes of the host a container sees. They keep their numbers, which mbind(2) and set_mempolicy(2) take. */

import { findCpus } from '../../cgroup/cpuset.ts'
import { memoize } from '../../cgroup/memoize.ts'
import type { SysView } from './directory.ts'

export const NODE_PATH = 'sys/devices/system/node'

/**
 * `undefined` where the directory is the host's: the container may use several nodes, and these are all. On a machine with
 * one node that is the container's, so that its CPUs and its memory are those of all other files.
 */
export function shownNodes(view: SysView): readonly number[] | undefined {
  const nodes = view.nodes()
  if (nodes !== undefined) return nodes
  const online = hostNodes(view)
  return online.length === 1 ? online : undefined
}

/** The nodes that are online, in the order of a node's distances: node_read_distance() of drivers/base/node.c. */
export const hostNodes = (view: SysView): readonly number[] =>
  parseNodes(view.hostFile(`${NODE_PATH}/online`, 'nodes are added rarely'))

const parseNodes = memoize((text: string): readonly number[] => findCpus(text) ?? [])
