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

export interface Whole {
  /** Each container once, as `judgeClaims` returns them. */
  running: Running[]
  /** Whether all places were looked at but for those of users: else containers of root may be missing. */
  isWhole: boolean
}

/**
 * Finds the containers that run. `runtimeRoots` are looked into besides the default places. Each runtime is an answer of
 * its own, so that one keeps no other from being found. Throws for a runtime that is not known.
 */
export async function findRunning(
  host: Host,
  pools: Readonly<Record<'root' | 'users', Pick<Workers, 'ask'>>>,
  runtimeRoots: readonly string[],
  log: Pick<Log, 'error'>,
): Promise<Whole> {
  const given = runtimeRoots.map(parseRoot)
  let isWhole = true
  const find = async <T>(whose: 'root' | 'users', input: FindInput, timeoutMs: number) =>
    pools[whose].ask<T>('find', input, timeoutMs)
  /** Leaves out what cannot be read or does not answer. */
  const claimsAt = async (
    whose: 'root' | 'users',
    where: string,
    searches: readonly Search[],
    timeoutMs: number,
  ) => {
    try {
      const found = await find<Found[]>(whose, { searches }, timeoutMs)
      if (!found.some(({ isCut }) => isCut)) return found
      log.error(new Error(`Cannot tell all containers in ${where}: there are too many`))
      if (whose === 'root') isWhole = false
      return found
    } catch (cause) {
      log.error(new Error(`Cannot look for containers in ${where}`, { cause }))
      if (whose === 'root') isWhole = false
      return []
    }
  }
  const ofUsers = async () => {
    const directories = await find<string[]>('users', { users: true }, USER_MS).catch(cause => {
      log.error(new Error('Cannot look for containers in /home and /run/user', { cause }))
      return []
    })
    return Promise.all(
      directories.map(directory =>
        claimsAt('users', `/${directory}`, userSearches(directory), USER_MS),
      ),
    )
  }
  const found = await Promise.all([
    ...systemSearches().map(search =>
      claimsAt('root', `the directories of ${search.runtime}`, [search], SYSTEM_MS),
    ),
    ...given.map(search => claimsAt('root', search.roots.join(), [search], USER_MS)),
    ofUsers().then(each => each.flat()),
  ])
  return { running: judgeClaims(host, found.flat()), isWhole }
}

/** Parses a value of `--runtime-root`. Throws a RangeError for a runtime that is not known. */
export function parseRoot(text: string): Search {
  const [, runtime = 'runc', directory = ''] = /^(?:([a-z-]+)=)?(.+)$/.exec(text) ?? []
  if (!RUNTIME_NAMES.includes(runtime)) {
    const names = RUNTIME_NAMES.join(', ')
    throw new RangeError(`Cannot use --runtime-root ${text}: the runtime must be one of ${names}`)
  }
  return { runtime, roots: [directory] }
}
