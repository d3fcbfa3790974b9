/** Finds who runs on a machine: all places of a runtime are looked at together, and here. */

import type { Host } from '../../src/host/host.ts'
import type { Running } from '../../src/runtimes/claim.ts'
import type { AskIsula } from '../../src/runtimes/isulad.ts'
import {
  findClaims,
  findUserDirectories,
  judgeClaims,
  RUNTIME_NAMES,
  systemSearches,
  userSearches,
} from '../../src/runtimes/running.ts'

/** `roots` of runtimes are looked into besides the default places. `ask` is how iSulad is asked. */
export function findRunning(
  host: Host,
  roots: Readonly<Record<string, readonly string[]>> = {},
  ask?: AskIsula,
): Running[] {
  const places = [...systemSearches(), ...findUserDirectories(host).flatMap(userSearches)]
  const searches = RUNTIME_NAMES.map(name => {
    const own = places.filter(({ runtime }) => runtime === name).flatMap(each => each.roots)
    return { runtime: name, roots: [...own, ...(roots[name] ?? [])] }
  })
  return judgeClaims(host, findClaims(host, searches, ask))
}
