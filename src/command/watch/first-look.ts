/**
 * What no event tells of: containers that have ended while nobody watched, and those of runtimes and users whose directories
 * are not watched.
 */

import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import type { Log } from '../../sys/log.ts'
import { choose, processOf } from '../containers/choose.ts'
import { findRunning } from '../containers/find-running.ts'
import { inTurns } from '../containers/in-turns.ts'
import type { Pools } from '../containers/pools.ts'
import type { RebindInput } from '../jobs/rebind.ts'

/** Where no service runs, the first container waits for one to be started. */
export const TIMEOUT_MS = 10_000

interface FirstLook {
  host: Host
  pools: Pools
  log: Log
  runtimeRoots: readonly string[]
  input: Omit<RebindInput, 'candidate'>
  /** Whether the container is looked at on its own. */
  isToldOf: (id: string) => boolean
  did: (what: 'attached' | 'forgotten', id: string) => void
}

/** Never rejects: what fails is reported. */
export async function lookAtOthers(look: FirstLook): Promise<void> {
  const { host, pools, log, runtimeRoots, input, isToldOf, did } = look
  try {
    const { running } = await findRunning(host, pools, runtimeRoots, log)
    const registry = new Registry(input.settings.runDirectory)
    const candidates = choose(host, registry, { all: true }, running, 'watch')
    const others = candidates.filter(({ id }) => !isToldOf(id))
    await inTurns(registry, others, pools, async (candidate, workers) => {
      const { id, running } = candidate
      const before = registry.find(id)
      try {
        const question: RebindInput = { ...input, candidate }
        const skipped = await workers.ask<string | null>('attach', question, TIMEOUT_MS)
        const isKnown = before && running && processOf(before) === processOf(running)
        if (skipped === null && running && !isKnown) did('attached', id)
        if (skipped !== null && before && registry.find(id) === undefined) did('forgotten', id)
      } catch (cause) {
        log.error(new Error(`Cannot attach ${id}`, { cause }))
      }
    })
  } catch (error) {
    log.error(error)
  }
}
