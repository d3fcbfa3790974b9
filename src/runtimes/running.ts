/**
 * Who runs here, whoever started it: from the state that each runtime keeps in files, without asking a daemon and
 * without belief in a pid alone.
 */

import type { Host } from '../host/host.ts'
import type { Finder, Running } from './claim.ts'
import { findContainerd } from './containerd.ts'
import { findCrio, findPodman } from './containers-storage.ts'
import { findDocker } from './docker.ts'
import { type AskIsula, askIsula, findIsulad } from './isulad.ts'
import { findLxc } from './lxc.ts'
import { mergeClaims } from './merge.ts'
import { findMachines } from './nspawn.ts'
import { findOci } from './oci.ts'
import { prove } from './proof.ts'
import { DEFAULT_ROOTS, expandRoots, type Roots } from './roots.ts'

export { DEFAULT_ROOTS, type Roots }

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
