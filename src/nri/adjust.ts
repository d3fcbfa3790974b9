/** What is changed in a container that is to be created: it gets our hook, and the options of its pod. */

import { ENABLED, setsOption, wantsFiles } from '../oci/annotations.ts'
import { isSandbox } from '../runtimes/containerd.ts'
import type { Annotations, Container, CreateContainer, Pod } from './messages.ts'
import type { Rules } from './rules.ts'

/**
 * The runtimes that apply hooks, by what they call themselves. The first versions of containerd 2.0 are v2 (containerd#11485).
 * To docker (moby's daemon/internal/nri) an adjustment with hooks is an error, and the container does not start; so it may be
 * to others.
 */
const APPLY_HOOKS = new Map<string, 'containerd' | 'crio'>([
  ['containerd', 'containerd'],
  ['v2', 'containerd'],
  ['cri-o', 'crio'],
])

/** Returns which of them it is; `undefined` for any other. */
export const hookRuntimeOf = (name: string) => APPLY_HOOKS.get(name)

/**
 * So many options of a pod are handed on, each with a value of at most so many characters: to an answer of more than 4 MiB
 * a runtime fails the container.
 */
const MOST_OPTIONS = 64
const MOST_CHARACTERS = 8192

/** Our program, also where a shell runs it. */
const OURS = /\/procveil'?(\s|$)/

/** Why a container gets no hook. */
export type Refusal =
  | 'it has our hook already'
  | 'its annotations say so'
  | 'it is not annotated'
  | 'its namespace is left out'
  | 'its runtime is a sandbox'

/** Returns why a container gets no hook of ours; `undefined` where it gets one. */
export function refusalOf(
  { pod, container }: CreateContainer,
  rules: Pick<Rules, 'pods' | 'exceptNamespaces'>,
): Refusal | undefined {
  if (hasHook(container)) return 'it has our hook already'
  if (isSandbox(pod.runtimeHandler)) return 'its runtime is a sandbox'
  const isWanted = wantsFiles(key => container.annotations.get(key) ?? pod.annotations.get(key))
  if (isWanted !== undefined) return isWanted ? undefined : 'its annotations say so'
  if (rules.pods === 'annotated') return 'it is not annotated'
  return rules.exceptNamespaces.includes(pod.namespace) ? 'its namespace is left out' : undefined
}

/** Also one that another plugin has just added. */
const hasHook = ({ hooks }: Pick<Container, 'hooks'>) => hooks.flat().some(word => OURS.test(word))

/**
 * The options that the pod's annotations set and the container's do not. The runtime makes an error of a key that two
 * plugins set, and shows what others have set as the container's own.
 */
export function optionsOf({ pod, container }: CreateContainer): Annotations {
  const isHandedOn = ([key, value]: [string, string]) =>
    setsOption(key) &&
    !container.annotations.has(key) &&
    key.length + value.length <= MOST_CHARACTERS
  return new Map([...pod.annotations].filter(isHandedOn).slice(0, MOST_OPTIONS))
}

/**
 * What the hook that a container has already does not know of its pod: the options, and whether there are to be files at
 * all.
 */
export function annotationsForHook(request: CreateContainer): Annotations {
  const { pod, container } = request
  const enabled = container.annotations.has(ENABLED) ? undefined : pod.annotations.get(ENABLED)
  const isHandedOn = enabled !== undefined && enabled.length <= MOST_CHARACTERS
  return new Map([...(isHandedOn ? [[ENABLED, enabled] as const] : []), ...optionsOf(request)])
}

/** A container that was created without our hook. */
export interface Missed {
  id: string
  isRunning: boolean
  options: Annotations
}

/** Returns those that no plugin was there for when they were created. */
export function findMissed(
  pods: readonly Pod[],
  containers: readonly Container[],
  rules: Pick<Rules, 'pods' | 'exceptNamespaces'>,
): Missed[] {
  const byId = new Map(pods.map(pod => [pod.id, pod]))
  return containers.flatMap(container => {
    const pod = byId.get(container.podId)
    if (container.hasEnded || pod === undefined) return []
    return refusalOf({ pod, container }, rules) === undefined ? [missedOf({ pod, container })] : []
  })
}

/** With all of its options, which nobody has told it. */
export function missedOf(request: CreateContainer): Missed {
  const { id, isRunning, annotations } = request.container
  const own = [...annotations].filter(([key]) => setsOption(key))
  return { id, isRunning, options: new Map([...optionsOf(request), ...own]) }
}
