/** The containers that a command can be about: those registered, and those that a runtime runs. */

import { type Container, type Described, isId } from '../../container/container.ts'
import { isAlive, readContainer } from '../../container/identity.ts'
import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import { readOptions } from '../../oci/annotations.ts'
import type { Options } from '../../proc/options.ts'
import type { Running } from '../../runtimes/claim.ts'
import { readDefaults } from '../../service/config.ts'
import type { Settings } from '../../service/default-settings.ts'
import { Log } from '../../sys/log.ts'
import { findRunning } from './find-running.ts'
import { withoutForeignCgroup } from './foreign-cgroup.ts'
import type { Pools } from './pools.ts'

export interface Candidate {
  id: string
  name?: string | undefined
  /** `undefined` when no runtime says that the container runs. */
  running?: Running | undefined
}

export interface Choice {
  all?: boolean
  containerId?: string
  /** Whether to choose only containers of a hook or of an earlier `remount`, as the service does by itself. */
  registered?: boolean
  /** Where runtimes keep their state besides the default directories: `DIRECTORY` of runc, or `docker=DIRECTORY`. */
  runtimeRoot?: string[]
}

/**
 * Chooses among the registered containers and those that were `found` to run. Throws when the choice is not either `all`
 * or a container, and when it fits no container or several. `action` says in the error what cannot be done then.
 */
export function choose(
  host: Host,
  registry: Registry,
  { all, containerId }: Pick<Choice, 'all' | 'containerId'>,
  found: readonly Running[],
  action: string,
): Candidate[] {
  if ((all === true) === (containerId !== undefined)) {
    throw new Error(`Cannot ${action}: give either --all or --container-id ID`)
  }
  const candidates = new Map<string, Candidate>()
  const known = new Map<string, string>()
  for (const container of registry.containers()) known.set(processOf(container), container.id)
  for (const running of found.toSorted((a, b) => rankOf(a) - rankOf(b))) {
    // A hook may have been told another id than the runtime says. Of two containers with one id only the first can be
    // registered; those of root come before those of users.
    const id = known.get(processOf(running)) ?? running.id
    if (running.ofUser && isOther(host, registry.find(id), running)) continue
    if (!candidates.has(id)) candidates.set(id, { id, name: running.name, running })
  }
  for (const id of registry.ids()) if (!candidates.has(id) && isId(id)) candidates.set(id, { id })
  const sorted = [...candidates.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
  return containerId === undefined ? sorted : [pick(sorted, containerId, action)]
}

/** Whether the id of what a user's state claims is that of another container that runs. */
function isOther(host: Host, known: Container | undefined, claimed: Running): boolean {
  return known !== undefined && processOf(known) !== processOf(claimed) && isAlive(host, known)
}

const rankOf = ({ ofUser }: Running) => (ofUser ? 1 : 0)

/** A pid alone may be another process's by now. */
export const processOf = ({ pid, startTicks }: { pid: number; startTicks: number }) =>
  `${pid} ${startTicks}`

/** Finds a container by its whole id, by its name, or by the beginning of an id that no other id has. */
function pick(candidates: readonly Candidate[], text: string, action: string): Candidate {
  const exact = candidates.find(({ id }) => id === text)
  if (exact !== undefined) return exact
  const named = candidates.filter(({ name }) => name === text)
  const begun = candidates.filter(({ id }) => text !== '' && id.startsWith(text))
  const matches = named.length > 0 ? named : begun
  const [match] = matches
  if (match !== undefined && matches.length === 1) return match
  const describe = ({ id, name }: Candidate) => (name === undefined ? id : `${id} (${name})`)
  const why =
    match === undefined
      ? `there are ${candidates.map(describe).join(', ') || 'none'}`
      : `it may be ${matches.map(describe).join(' or ')}`
  throw new RangeError(`Cannot ${action} container ${JSON.stringify(text)}: ${why}`)
}

/**
 * Returns the container as it is registered already, or as its runtime describes it; `undefined` when it has ended. An
 * id that a user's container has is given to root's, and never the other way round.
 */
export function resolve(
  host: Host,
  registry: Registry,
  { id, running }: Candidate,
  refuse: (error: unknown) => void,
): Described | undefined {
  const known = registry.find(id)
  const runs = running !== undefined && isAlive(host, running)
  if (known !== undefined && isAlive(host, known)) {
    const isDisplaced = runs && known.ofUser && !running.ofUser && running.pid !== known.pid
    if (!isDisplaced) return known
  }
  if (!runs) return undefined
  const { pid, rootfs, annotations, ofUser } = running
  const options = readOptions(annotations, refuse)
  const found = withoutForeignCgroup(readContainer(host, id, { pid, rootfs, options }), refuse)
  return ofUser ? { ...found, ofUser } : found
}

/**
 * Returns the one running container that a command is about, hooked or not, with all its options. Throws when no
 * container fits or several do, and when it has ended. An annotation that cannot be used is reported on stderr.
 */
export async function chooseOne(
  host: Host,
  settings: Settings,
  pools: Pools,
  choice: Pick<Choice, 'containerId' | 'runtimeRoot'>,
  command: string,
): Promise<Described & { options: Options }> {
  if (choice.containerId === undefined) {
    throw new Error('Cannot choose a container: give --container-id')
  }
  const registry = new Registry(settings.runDirectory)
  const log = new Log(command, undefined)
  const withDefaults = (container: Described) => ({
    ...container,
    options: { ...readDefaults(settings), ...container.options },
  })
  // A container that runs and is registered by this very id needs no look at the runtimes.
  const registered = registry.find(choice.containerId)
  if (registered !== undefined && isAlive(host, registered)) return withDefaults(registered)
  const { running } = await findRunning(host, pools, choice.runtimeRoot ?? [], log)
  const [candidate] = choose(host, registry, choice, running, command) as [Candidate]
  const container = resolve(host, registry, candidate, error => log.error(error))
  if (container !== undefined) return withDefaults(container)
  throw new Error(`Cannot ${command} container ${candidate.id}: its process has ended`)
}
