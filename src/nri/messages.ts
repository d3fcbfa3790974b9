/**
 * What a runtime says by NRI, as far as we need it: service Plugin and service Runtime in pkg/api/api.proto of
 * https://github.com/containerd/nri. The numbers are those of the fields there, and are the same since version 0.2.
 */

import { isOption } from '../oci/annotations.ts'
import { bytes, number, readMessage, text, textInto } from './protobuf.ts'

export const PLUGIN_SERVICE = 'nri.pkg.api.v1alpha1.Plugin'
export const RUNTIME_SERVICE = 'nri.pkg.api.v1alpha1.Runtime'

/** ContainerState */
const RUNNING = 3
const STOPPED = 4

/** Annotations about us, by name. */
export type Annotations = ReadonlyMap<string, string>

export interface Pod {
  id: string
  namespace: string
  annotations: Annotations
  /** The name of the RuntimeClass's handler; empty for the default one. */
  runtimeHandler: string
}

export interface Container {
  id: string
  podId: string
  isRunning: boolean
  /** One that neither runs nor has ended may still start. */
  hasEnded: boolean
  annotations: Annotations
  /** The command lines of its OCI hooks, each with the program's path before it. */
  hooks: readonly (readonly string[])[]
}

export interface Runtime {
  name: string
  version: string
}

/** ConfigureRequest */
export function parseConfigure(message: Uint8Array): Runtime {
  const runtime = { name: '', version: '' }
  readMessage('ConfigureRequest', message, {
    2: textInto(runtime, 'name'),
    3: textInto(runtime, 'version'),
  })
  return runtime
}

export interface Synchronize {
  pods: readonly Pod[]
  containers: readonly Container[]
  /** Whether another message follows with the rest. */
  more: boolean
}

/** SynchronizeRequest */
export function parseSynchronize(message: Uint8Array): Synchronize {
  const pods: Pod[] = []
  const containers: Container[] = []
  let more = false
  readMessage('SynchronizeRequest', message, {
    1: bytes(value => pods.push(parsePod(value))),
    2: bytes(value => containers.push(parseContainer(value))),
    3: number(value => {
      more = value !== 0
    }),
  })
  return { pods, containers, more }
}

export interface CreateContainer {
  pod: Pod
  container: Container
}

/** CreateContainerRequest */
export function parseCreateContainer(message: Uint8Array): CreateContainer {
  const none = new Uint8Array()
  let pod = parsePod(none)
  let container = parseContainer(none)
  readMessage('CreateContainerRequest', message, {
    1: bytes(value => {
      pod = parsePod(value)
    }),
    2: bytes(value => {
      container = parseContainer(value)
    }),
  })
  return { pod, container }
}

/** PodSandbox */
function parsePod(message: Uint8Array): Pod {
  const annotations = new Map<string, string>()
  const pod = { id: '', namespace: '', annotations, runtimeHandler: '' }
  readMessage('PodSandbox', message, {
    1: textInto(pod, 'id'),
    4: textInto(pod, 'namespace'),
    6: bytes(value => addAnnotation(annotations, value)),
    7: textInto(pod, 'runtimeHandler'),
  })
  return pod
}

/** Container */
function parseContainer(message: Uint8Array): Container {
  const annotations = new Map<string, string>()
  const hooks: string[][] = []
  const container = { id: '', podId: '', isRunning: false, hasEnded: false, annotations, hooks }
  readMessage('Container', message, {
    1: textInto(container, 'id'),
    2: textInto(container, 'podId'),
    4: number(value => {
      container.isRunning = value === RUNNING
      container.hasEnded = value === STOPPED
    }),
    6: bytes(value => addAnnotation(annotations, value)),
    10: bytes(value => hooks.push(...parseHooks(value))),
  })
  return container
}

/** Hooks: a list for each of the six stages. */
function parseHooks(message: Uint8Array): string[][] {
  const hooks: string[][] = []
  const stage = bytes(value => hooks.push(parseHook(value)))
  readMessage('Hooks', message, { 1: stage, 2: stage, 3: stage, 4: stage, 5: stage, 6: stage })
  return hooks
}

/** Hook */
function parseHook(message: Uint8Array): string[] {
  const hook = { path: '' }
  const args: string[] = []
  readMessage('Hook', message, { 1: textInto(hook, 'path'), 2: text(value => args.push(value)) })
  return [hook.path, ...args]
}

/** An entry of a map is a message with the key and the value. */
function addAnnotation(annotations: Map<string, string>, entry: Uint8Array): void {
  const read = { key: '', value: '' }
  readMessage('an annotation', entry, { 1: textInto(read, 'key'), 2: textInto(read, 'value') })
  if (isOption(read.key)) annotations.set(read.key, read.value)
}
