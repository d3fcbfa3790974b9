/** Whose turn it is where a command works on many containers: root's come first, whatever those of users do. */

import type { Registry } from '../../container/registry.ts'
import { type Candidate, processOf } from './choose.ts'

/** Calls `work` for root's containers with the workers for these, and then for those of users with theirs. */
export async function inTurns<T>(
  registry: Registry,
  candidates: readonly Candidate[],
  pools: Readonly<Record<'root' | 'users', T>>,
  work: (candidate: Candidate, workers: T) => Promise<void>,
): Promise<void> {
  const ofUsers = new Set(candidates.filter(each => isOfUser(registry, each)))
  const ofRoot = candidates.filter(each => !ofUsers.has(each))
  await Promise.all(ofRoot.map(each => work(each, pools.root)))
  await Promise.all([...ofUsers].map(each => work(each, pools.users)))
}

/** Whether only a user says that the container runs, now or when it was registered. */
function isOfUser(registry: Registry, { id, running }: Candidate): boolean {
  const known = registry.find(id)
  if (running === undefined) return known?.ofUser === true
  const isKnown = known !== undefined && processOf(known) === processOf(running)
  return running.ofUser === true && (!isKnown || known.ofUser === true)
}
