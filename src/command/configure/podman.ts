/** podman: a file in the hooks.d directory that it reads. */

import { planHooksDirectory } from './hooks-directory.ts'
import type { Plan, Situation } from './plan.ts'

export const planPodman = (situation: Situation): Plan => planHooksDirectory('podman', situation)
