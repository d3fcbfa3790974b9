/** CRI-O: a file in the hooks.d directory that it reads. Its own configuration needs nothing. */

import { planHooksDirectory } from './hooks-directory.ts'
import type { Plan, Situation } from './plan.ts'

export const planCrio = (situation: Situation): Plan => planHooksDirectory('crio', situation)
