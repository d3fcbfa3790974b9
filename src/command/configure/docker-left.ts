/**
 * Containers of docker that were created with the runtime procveil. Docker starts none whose runtime it does not know
 * (getRuntime in moby's daemon/runtime_unix.go), so that they need an entry by that name for as long as they are there.
 */

import type { Host } from '../../host/host.ts'
import { absoluteOf, type Fields, objectOf, textOf, tryParseJson } from '../../host/json.ts'
import { DOCKER_RUNTIME } from '../hooks/docker.ts'
import { WRAPPER } from '../hooks/entry.ts'
import { readDockerFlags } from './docker-flags.ts'
import { argsOf, entryOf, pathOf, runtimesOf } from './docker-runtime.ts'
import { parseSettings, setInJson } from './edit-json.ts'
import { readLowLevel } from './low-level.ts'
import type { Situation } from './plan.ts'

const DATA_ROOT = '/var/lib/docker'
const MOST_NAMES = 5

export interface Left {
  /** The text with the entry. */
  text: string
  /** The program that the entry names, without procveil before it. */
  program: string
  /** A sentence that says for whom the entry stays. */
  reason: string
}

/**
 * Puts the entry into `text`, which has ours no more, where containers name it: `current` is what the file says now.
 * Returns `undefined` where none is needed.
 */
export function leaveRuntime(
  site: Pick<Situation, 'host' | 'run'>,
  path: string,
  current: string | undefined,
  text: string | undefined,
): Left | undefined {
  const { [DOCKER_RUNTIME]: had } = runtimesOf(path, current ?? '')
  const { [DOCKER_RUNTIME]: has } = runtimesOf(path, text ?? '')
  const old = pathOf(had)
  if (old === undefined || has !== undefined) return undefined
  const root = dataRootOf(site, parseSettings(path, current ?? '', false))
  const names = findNaming(site.host, root)
  if (names.length === 0) return undefined
  const program = old === WRAPPER ? readLowLevel(site.host) : old
  const entry = entryOf(program, argsOf(had))
  return {
    text: setInJson(path, text ?? '', ['runtimes', DOCKER_RUNTIME], entry),
    program,
    reason: reasonOf(path, entry, names),
  }
}

/** Whether docker has its containers where the file's text says so. */
export function canLook(site: Pick<Situation, 'host' | 'run'>, path: string, text: string) {
  return site.host.has(dataRootOf(site, parseSettings(path, text, false)).slice(1))
}

function reasonOf(path: string, entry: Fields, names: readonly string[]): string {
  const some = names.slice(0, MOST_NAMES).join(', ')
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : ''
  const whom = names.length === 1 ? '1 container that was' : `${names.length} containers that were`
  return (
    `kept "${DOCKER_RUNTIME}": ${JSON.stringify(entry)} in the runtimes of ${path} for ${whom} created with it ` +
    `(${some}${more}), which docker starts without procveil from then on; take it out by hand when they are gone`
  )
}

/** The options are those of dockerd(8). `data-root` was called `graph` before 17.05. */
const dataRootOf = (site: Pick<Situation, 'host' | 'run'>, settings: Fields): string =>
  absoluteOf(settings['data-root'] ?? settings.graph) ??
  absoluteOf(readDockerFlags(site).dataRoot) ??
  DATA_ROOT

/**
 * The names of the containers, also of those that do not run. With userns-remap a daemon keeps them in UID.GID below its
 * root: daemon/daemon_unix.go of moby.
 */
function findNaming(host: Host, dataRoot: string): string[] {
  const root = dataRoot.slice(1)
  const remapped = host.directories(root).filter(name => /^\d+\.\d+$/.test(name))
  return [root, ...remapped.map(name => `${root}/${name}`)].flatMap(each =>
    host.directories(`${each}/containers`).flatMap(id => {
      const directory = `${each}/containers/${id}`
      const read = (name: string) =>
        objectOf(tryParseJson(host.tryRead(`${directory}/${name}`) ?? ''))
      if (read('hostconfig.json')?.Runtime !== DOCKER_RUNTIME) return []
      return [textOf(read('config.v2.json')?.Name)?.replace(/^\//, '') ?? id.slice(0, 12)]
    }),
  )
}
