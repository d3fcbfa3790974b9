/** The containers that a command can be about: those registered, and those that a runtime runs. */

import { type Container, isId } from '../../container/container.ts'
import { isAlive, readContainer } from '../../container/identity.ts'
import { Registry } from '../../container/registry.ts'
import type { Host } from '../../host/host.ts'
import { readOptions } from '../../oci/annotations.ts'
import type { Options } from '../../proc/options.ts'
import type { Running } from '../../runtimes/claim.ts'
import { findRunning, type Roots, RUNTIME_NAMES } from '../../runtimes/running.ts'
import { readDefaults } from '../../service/config.ts'
import type { Settings } from '../../service/settings.ts'
import { Log } from '../../sys/log.ts'
import { withoutForeignCgroup } from './bind.ts'

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
 * Throws when the choice is not either `all` or a container, and when it fits no container or several. `action` says
 * in the error what cannot be done then.
 */
export function choose(
  host: Host,
  registry: Registry,
  { all, containerId, registered, runtimeRoot = [] }: Choice,
  action: string,
): Candidate[] {
  if ((all === true) === (containerId !== undefined)) {
    throw new Error(`Cannot ${action}: give either --all or --container-id ID`)
  }
  const candidates = new Map<string, Candidate>()
  const known = new Map<number, string>()
  for (const { id, pid } of registry.containers()) known.set(pid, id)
  for (const running of registered ? [] : findRunning(host, parseRoots(runtimeRoot))) {
    // A hook may have been told another id than the runtime says. Of two containers with one id only the first can be
    // registered.
    const id = known.get(running.pid) ?? running.id
    if (!candidates.has(id)) candidates.set(id, { id, name: running.name, running })
  }
  for (const id of registry.ids()) if (!candidates.has(id) && isId(id)) candidates.set(id, { id })
  const found = [...candidates.values()].sort((one, other) => (one.id < other.id ? -1 : 1))
  return containerId === undefined ? found : [pick(found, containerId, action)]
}

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

/** Returns the container as it is registered already, or as its runtime describes it; `undefined` when it has ended. */
export function resolve(
  host: Host,
  registry: Registry,
  { id, running }: Candidate,
  refuse: (error: unknown) => void,
): Container | undefined {
  const known = registry.find(id)
  if (known !== undefined && isAlive(host, known)) return known
  if (running === undefined || !isAlive(host, running)) return undefined
  const { pid, rootfs, annotations } = running
  const options = readOptions(annotations, refuse)
  return withoutForeignCgroup(readContainer(host, id, { pid, rootfs, options }), refuse)
}

/**
 * Returns the one running container that a command is about, hooked or not, with all its options. Throws when no
 * container fits or several do, and when it has ended. An annotation that cannot be used is reported on stderr.
 */
export function chooseOne(
  host: Host,
  settings: Settings,
  choice: Pick<Choice, 'containerId' | 'runtimeRoot'>,
  command: string,
): Container & { options: Options } {
  if (choice.containerId === undefined) {
    throw new Error('Cannot choose a container: give --container-id')
  }
  const registry = new Registry(settings.runDirectory)
  const log = new Log(command, undefined)
  const withDefaults = (container: Container) => ({
    ...container,
    options: { ...readDefaults(settings), ...container.options },
  })
  // A container that runs and is registered by this very id needs no look at the runtimes.
  const registered = registry.find(choice.containerId)
  if (registered !== undefined && isAlive(host, registered)) return withDefaults(registered)
  const [candidate] = choose(host, registry, choice, command) as [Candidate]
  const container = resolve(host, registry, candidate, error => log.error(error))
  if (container !== undefined) return withDefaults(container)
  throw new Error(`Cannot ${command} container ${candidate.id}: its process has ended`)
}

/** Throws for a runtime that is not known. */
function parseRoots(texts: readonly string[]): Roots {
  const roots: Record<string, string[]> = {}
  for (const text of texts) {
    const [, runtime = 'runc', directory = ''] = /^(?:([a-z-]+)=)?(.+)$/.exec(text) ?? []
    if (!RUNTIME_NAMES.includes(runtime)) {
      const names = RUNTIME_NAMES.join(', ')
      throw new RangeError(`Cannot use --runtime-root ${text}: the runtime must be one of ${names}`)
    }
    roots[runtime] = [...(roots[runtime] ?? []), directory]
  }
  return roots
}
