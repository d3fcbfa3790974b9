/** Where the option `nestedMounts` must not count: spare mounts would show what the runtime masks. */

import type { Described } from '../../container/container.ts'
import type { Options } from '../../proc/options.ts'

/**
 * Turns the option off for a container whose runtime masks paths. `masksPaths` is asked only where the option is on.
 * The registration keeps it, so that a `remount` before the masks are there leaves no spare mounts either.
 */
export function withoutSpareUnderMasks(
  container: Described,
  defaults: Pick<Options, 'nestedMounts'>,
  masksPaths: () => boolean,
): Described {
  const { nestedMounts } = { ...defaults, ...container.options }
  if (nestedMounts === 'off' || !masksPaths()) return container
  return { ...container, options: { ...container.options, nestedMounts: 'off' } }
}
