/** What is written for which runtime. */

import { planContainerd } from './containerd.ts'
import { planCrio } from './crio.ts'
import { planDocker } from './docker.ts'
import { planIsulad } from './isulad.ts'
import type { Runtime } from './names.ts'
import { planNri } from './nri.ts'
import type { Plan, Situation } from './plan.ts'
import { planPodman } from './podman.ts'

export const PLANNERS: Readonly<Record<Runtime, (situation: Situation) => Plan>> = {
  docker: planDocker,
  containerd: planContainerd,
  crio: planCrio,
  podman: planPodman,
  isulad: planIsulad,
  nri: planNri,
}
