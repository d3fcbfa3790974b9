/**
 * containerd: the shim of each container of each namespace makes a bundle with the pid of the container's init. That
 * also covers nerdctl, and CRI with any OCI runtime. docker's containers are in the namespace moby.
 */

import { basename } from 'node:path'
import type { Host } from '../host/host.ts'
import { countOf } from '../host/json.ts'
import type { Claim } from './claim.ts'
import { readBundle } from './oci.ts'
import { expandRoots } from './roots.ts'
import { readStateFile } from './state-file.ts'

/** The pattern of a namespace's directory, which is in v2.task, or in v1.linux of containerd before 1.4. */
const NAMESPACES = 'io.containerd.runtime.*/*'
const DOCKER_NAMESPACE = 'moby'
/** Runtimes whose process on the host is a machine or a kernel of its own: there is no /proc to put files into. */
const SANDBOX = /kata|runsc|gvisor|firecracker|hyperv/

export const isSandbox = (runtime: string) => SANDBOX.test(runtime)

export function* findContainerd(host: Host, roots: readonly string[]): Generator<Claim> {
  for (const directory of expandRoots(
    host,
    roots.map(root => `${root}/${NAMESPACES}`),
  )) {
    const namespace = basename(directory)
    for (const id of host.directories(directory)) {
      const claim = readTask(host, `${directory}/${id}`, id, namespace)
      if (claim !== undefined) yield claim
    }
  }
}

function readTask(host: Host, directory: string, id: string, namespace: string): Claim | undefined {
  const file = readStateFile(host, `${directory}/init.pid`)
  const pid = countOf(file?.text.trim())
  if (file === undefined || pid === undefined) return undefined
  const shim = readStateFile(host, `${directory}/shim-binary-path`)?.text ?? ''
  if (isSandbox(basename(shim.trim()))) return undefined
  const bundle = readBundle(host, `/${directory}`)
  const annotations = bundle?.annotations ?? {}
  return {
    runtime: namespace === DOCKER_NAMESPACE ? 'docker' : 'containerd',
    id,
    pid,
    startTicks: undefined,
    name: nameOf(annotations),
    rootfs: bundle?.rootfs,
    annotations,
    ownerUid: file.ownerUid,
  }
}

/** Returns the name that `nerdctl ps` or `crictl ps` shows. */
function nameOf(annotations: Readonly<Record<string, string>>): string | undefined {
  const cri = (key: string) => annotations[`io.kubernetes.cri.${key}`]
  return (
    annotations['nerdctl/name'] ??
    podName(cri('sandbox-namespace'), cri('sandbox-name'), cri('container-name'))
  )
}

/**
 * Returns `namespace/pod/container`. A container without a name of its own is the one that holds the pod's namespaces.
 */
export function podName(
  namespace: string | undefined,
  pod: string | undefined,
  container: string | undefined,
): string | undefined {
  if (pod === undefined) return container
  return [namespace, pod, container].filter(part => part !== undefined).join('/')
}
