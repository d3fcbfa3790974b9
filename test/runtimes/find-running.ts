/** Looks at all places of a test's machine at once, those of users and root's, and judges what is there. */

import type { Host } from '../../src/host/host.ts'
import type { Running } from '../../src/runtimes/claim.ts'
import {
  findClaims,
  findUserDirectories,
  judgeClaims,
  RUNTIME_NAMES,
  systemSearches,
  userSearches,
} from '../../src/runtimes/running.ts'

/** `roots` are looked at besides the default places. `ask` is how iSulad is asked. */
export function findRunning(
  host: Host,
  roots: Readonly<Record<string, readonly string[]>> = {},
  ask?: () => string | undefined,
): Running[] {
  const defaults = [...systemSearches(), ...findUserDirectories(host).flatMap(userSearches)]
  const searches = RUNTIME_NAMES.map(runtime => {
    const own = defaults.filter(search => search.runtime === runtime)
    return { runtime, roots: [...own.flatMap(each => each.roots), ...(roots[runtime] ?? [])] }
  })
  return judgeClaims(host, findClaims(host, searches, ask))
}
