/**
 * Finds out who runs here. State that runtimes keep is read by workers: a directory may lead to a file system that
 * hangs, above all one that a user owns. What does not answer is left out, and said.
 */

import type { Host } from '../../host/host.ts'
import type { Running } from '../../runtimes/claim.ts'
import {
  type Found,
  judgeClaims,
  RUNTIME_NAMES,
  type Search,
  systemSearches,
  userSearches,
} from '../../runtimes/running.ts'
import type { Log } from '../../sys/log.ts'
import type { Workers } from '../../worker/workers.ts'

/** What the job `find` is asked for: where users may have state, or what is at some places. */
export type FindInput = { users: true } | { searches: readonly Search[] }

/** State of thousands of containers is read within a second. isula, which may have to be asked, takes 5 s at most. */
const SYSTEM_MS = 7000
const USER_MS = 2000

/**
 * Returns each container once, as `judgeClaims` does. `runtimeRoots` are looked into besides the default places. Throws
 * for a runtime that is not known.
 */
export async function findRunning(
  host: Host,
  workers: Workers,
  runtimeRoots: readonly string[],
  log: Pick<Log, 'error'>,
): Promise<Running[]> {
  const given = runtimeRoots.map(parseRoot)
  /** Returns `undefined` for what cannot be read or does not answer. */
  const find = async <T>(where: string, input: FindInput, timeoutMs: number) => {
    try {
      return await workers.ask<T>('find', input, timeoutMs)
    } catch (cause) {
      log.error(new Error(`Cannot look for containers in ${where}`, { cause }))
      return undefined
    }
  }
  const claimsAt = (where: string, searches: readonly Search[], timeoutMs: number) =>
    find<Found[]>(where, { searches }, timeoutMs)
  const ofUsers = async () => {
    const directories =
      (await find<string[]>('/home and /run/user', { users: true }, USER_MS)) ?? []
    return Promise.all(
      directories.map(directory => claimsAt(`/${directory}`, userSearches(directory), USER_MS)),
    )
  }
  const [system, users, others] = await Promise.all([
    claimsAt('the directories of runtimes', systemSearches(), SYSTEM_MS),
    ofUsers(),
    Promise.all(given.map(search => claimsAt(search.roots.join(), [search], USER_MS))),
  ])
  const found = [system, ...others, ...users].flatMap(each => each ?? [])
  return judgeClaims(host, found)
}

function parseRoot(text: string): Search {
  const [, runtime = 'runc', directory = ''] = /^(?:([a-z-]+)=)?(.+)$/.exec(text) ?? []
  if (!RUNTIME_NAMES.includes(runtime)) {
    const names = RUNTIME_NAMES.join(', ')
    throw new RangeError(`Cannot use --runtime-root ${text}: the runtime must be one of ${names}`)
  }
  return { runtime, roots: [directory] }
}
