/** procveil-runtime as one of docker's runtimes, in its daemon.json. */

import { type Fields, objectOf, quote, textOf } from '../../host/json.ts'
import { DOCKER_RUNTIME } from '../hooks/docker.ts'
import { WRAPPER } from '../hooks/entry.ts'
import { namesOf } from '../hooks/ours.ts'
import { DOCKER_UNIT, type DockerFlags, readDockerFlags } from './docker-flags.ts'
import { parseSettings, setInJson } from './edit-json.ts'
import { chooseLowLevel, readLowLevel } from './low-level.ts'
import type { Change, Plan, Situation } from './plan.ts'

/** What one of the two ways adds to the file. */
export interface Part {
  text: string
  changes: readonly Change[]
  notes: Plan['notes']
  use: string
  /** Whether docker would lose something when it is only reloaded. */
  isLostByReload?: boolean
}

/** Throws where the file has a runtime by that name, or a default one that cannot be replaced. */
export function planRuntime(
  situation: Situation,
  path: string,
  before: string,
  text: string,
): Part {
  const { setAsDefault } = situation
  const ours = runtimesOf(path, before)[DOCKER_RUNTIME]
  if (ours !== undefined && pathOf(ours) !== WRAPPER && !isLeft(situation, ours)) {
    throw new Error(
      `Cannot add the runtime ${DOCKER_RUNTIME} to ${path}: it has one, which procveil configure did not write; take it out first`,
    )
  }
  const flags = readDockerFlags(situation)
  const old = defaultOf(path, before, flags)
  if (setAsDefault) checkDefault(path, old, flags)
  const { changes, notes, isWanted } = chooseLowLevel(situation, old.program)
  const entry = entryOf(WRAPPER, isWanted ? old.args : [])
  const added = setInJson(path, text, ['runtimes', DOCKER_RUNTIME], entry)
  return {
    changes,
    notes: [...notes, ...notesOn(path, old, flags)],
    isLostByReload: hasRuntimes(flags),
    text: setAsDefault ? setInJson(path, added, [DEFAULT_KEY], DOCKER_RUNTIME) : added,
    use: setAsDefault
      ? 'every container that is created from then on has the hook, but for docker run --runtime runc and the steps of a build'
      : `containers get the hook by ${USE}; --set-as-default has all of them get it`,
  }
}

const DEFAULT_KEY = 'default-runtime'
const USE = `docker run --runtime ${DOCKER_RUNTIME}`

/** The runtime that is the default one without us. */
interface DefaultRuntime {
  name: string | undefined
  /** `undefined` where that is docker's own runc, or a shim. */
  program: string | undefined
  args: readonly string[]
  isShim: boolean
}

function defaultOf(path: string, before: string, flags: DockerFlags): DefaultRuntime {
  const name = textOf(parseSettings(path, before, false)[DEFAULT_KEY]) ?? flags.defaultRuntime
  if (name === undefined || BUILT_IN.includes(name)) {
    return { name, program: undefined, args: [], isShim: false }
  }
  const { [name]: found } = runtimesOf(path, before)
  const program = pathOf(found) ?? flags.runtimes[name]
  return { name, program, args: argsOf(found), isShim: program === undefined }
}

/** Throws where the default runtime cannot be replaced by ours. */
function checkDefault(path: string, { name, isShim }: DefaultRuntime, flags: DockerFlags): void {
  if (flags.defaultRuntime !== undefined) {
    throw new Error(
      `Cannot set ${DEFAULT_KEY} in ${path}: dockerd is started with --${DEFAULT_KEY} ${flags.defaultRuntime}, and does not start with both; ` +
        `take that out of ${DOCKER_UNIT} first, which systemctl cat ${DOCKER_UNIT} shows, and set it in ${path}`,
    )
  }
  if (isShim) {
    throw new Error(
      `Cannot put procveil-runtime before ${quote(name)}, the default runtime in ${path}: that is a shim, and no program like runc; leave --set-as-default out`,
    )
  }
}

const hasRuntimes = ({ runtimes }: DockerFlags) => Object.keys(runtimes).length > 0

function notesOn(path: string, { name, isShim }: DefaultRuntime, flags: DockerFlags): string[] {
  const shim = `${USE} has a program like runc run a container, and not ${quote(name)}, the default runtime`
  const lost =
    `dockerd is started with --add-runtime for ${Object.keys(flags.runtimes).join(', ')}, which it forgets ` +
    `whenever it is reloaded now that ${path} has runtimes too: move that from ${DOCKER_UNIT} into ${path}`
  return [...(isShim ? [shim] : []), ...(hasRuntimes(flags) ? [lost] : [])]
}

/**
 * The names by which docker runs runc without an entry in `runtimes`. Any other name without one is a containerd shim:
 * getRuntime of moby's daemon/runtime_unix.go.
 */
const BUILT_IN: readonly string[] = ['runc', 'io.containerd.runc.v2', DOCKER_RUNTIME]

export function runtimesOf(path: string, text: string): Fields {
  const { runtimes } = parseSettings(path, text, false)
  const found = runtimes === undefined ? {} : objectOf(runtimes)
  if (found !== undefined) return found
  throw new SyntaxError(`Cannot edit ${path}: runtimes is no object but ${quote(runtimes)}`)
}

export const pathOf = (runtime: unknown): string | undefined => textOf(objectOf(runtime)?.path)

/** What docker puts before a runtime's command. */
export const argsOf = (runtime: unknown): string[] => namesOf(objectOf(runtime)?.runtimeArgs)

/** An entry of `runtimes`. */
export const entryOf = (path: string, args: readonly string[]): Fields =>
  args.length === 0 ? { path } : { path, runtimeArgs: args }

/**
 * Whether an entry by our name is what an undo has left, whose record is gone with the package. Somebody else's has more
 * in it, or runs something else.
 */
const isLeft = ({ host }: Situation, entry: unknown): boolean =>
  ['runc', readLowLevel(host)].includes(pathOf(entry) ?? '') &&
  Object.keys(objectOf(entry) ?? {}).every(key => key === 'path' || key === 'runtimeArgs')

/**
 * Takes the runtime out of a text, and the default one back to what it was in `before`. `left` is the program that an
 * entry of ours names without procveil.
 */
export function removeRuntime(
  path: string,
  text: string,
  before: string | undefined,
  left: string | undefined,
): string {
  const now = runtimesOf(path, text)
  const program = pathOf(now[DOCKER_RUNTIME])
  const isOurs = program !== undefined && (program === WRAPPER || program === left)
  const old = parseSettings(path, before ?? '', false)
  const isDefault = parseSettings(path, text, false)[DEFAULT_KEY] === DOCKER_RUNTIME
  const restored =
    isOurs && isDefault ? setInJson(path, text, [DEFAULT_KEY], old[DEFAULT_KEY]) : text
  if (!isOurs) return restored
  const isAlone = old.runtimes === undefined && Object.keys(now).length === 1
  const where = isAlone ? ['runtimes'] : ['runtimes', DOCKER_RUNTIME]
  return setInJson(path, restored, where, objectOf(old.runtimes)?.[DOCKER_RUNTIME])
}
