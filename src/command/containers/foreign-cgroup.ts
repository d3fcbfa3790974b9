/** Whose numbers a container may be shown by the option `cgroup`: its own, and those of the cgroups above it. */

import type { Described } from '../../container/container.ts'

/**
 * Leaves out the option `cgroup` unless it names the container's own cgroup or one above it, and tells `refuse` why:
 * whoever may annotate a container may not look into other containers with it.
 */
export function withoutForeignCgroup(
  container: Described,
  refuse: (error: unknown) => void,
): Described {
  const { cgroup, ...others } = container.options
  if (cgroup === undefined || cgroup === 'auto') return container
  const own = Object.values(container.cgroups)
  if (own.some(path => path === cgroup || path.startsWith(`${cgroup}/`))) return container
  refuse(
    new RangeError(
      `Cannot use cgroup "${cgroup}" for ${container.id}: it must be the container's own or above it`,
    ),
  )
  return { ...container, options: others }
}
