/**
 * Who runs here, whoever started it: from the state that each runtime keeps in files, without asking a daemon and
 * without belief in a pid alone.
 */

import type { Host } from '../host/host.ts'
import type { Finder } from './runtimes/claim.ts'
import { findContainerd } from './runtimes/containerd.ts'
import { findCrio, findPodman } from './runtimes/containers-storage.ts'
import { findDocker } from './runtimes/docker.ts'
import { type AskIsula, askIsula, findIsulad } from './runtimes/isulad.ts'
import { findLxc } from './runtimes/lxc.ts'
import { mergeClaims } from './runtimes/merge.ts'
import { findMachines } from './runtimes/nspawn.ts'
import { findOci } from './runtimes/oci.ts'
import { prove } from './runtimes/proof.ts'
import { DEFAULT_ROOTS, expandRoots, type Roots } from './runtimes/roots.ts'

export { DEFAULT_ROOTS, type Roots }

export interface Running {
  id: string
  /** What its users call it. */
  name?: string
  runtime: string
  /** Of its init, on the host; one process only together with `startTicks`. */
  pid: number
  /** When the init was created: /proc/PID/stat field 22. */
  startTicks: number
  /** In the host's mount namespace; `/` when no state says. */
  rootfs: string
  /** Of its config.json, where one is in reach. */
  annotations: Readonly<Record<string, string>>
}

/**
 * Each once, sorted by id; an id comes twice where two runtimes use it. `roots` are looked into besides the default
 * ones. `ask` is how iSulad is asked.
 */
export function findRunning(
  host: Host,
  roots: Partial<Roots> = {},
  ask: AskIsula = askIsula,
): Running[] {
  const finders: Readonly<Record<string, Finder>> = {
    runc: findOci,
    crun: findOci,
    youki: findOci,
    containerd: findContainerd,
    docker: findDocker,
    podman: findPodman,
    'cri-o': findCrio,
    isulad: (host, roots) => findIsulad(host, roots, ask),
    lxc: findLxc,
    nspawn: findMachines,
  }
  const claims = Object.entries(finders).flatMap(([runtime, find]) => {
    const patterns = [...(DEFAULT_ROOTS[runtime] ?? []), ...(roots[runtime] ?? [])]
    return [...find(host, expandRoots(host, patterns))]
  })
  return mergeClaims(prove(host, claims))
}
