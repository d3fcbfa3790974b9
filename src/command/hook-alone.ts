/** A hook that no worker of the service could do: it does the work by itself, or watches over a process that does. */

import type { Settings } from '../service/default-settings.ts'
import { resolveSettings } from '../service/settings.ts'
import { Log, passOn } from '../sys/log.ts'
import type { HookInput, HookResult } from './jobs/run-hook.ts'

interface Alone {
  settings: Settings
  strict: boolean
  /** What was read from stdin, or why nothing was. */
  state: string | { error: unknown }
  /** Whether this is the process that another hook watches over. */
  direct: boolean
  /** A time of performance.now(). */
  deadline: number
}

/** Returns the exit status. */
export async function runAlone(hook: Alone): Promise<number> {
  const { strict, state, direct, deadline } = hook
  const settings = resolveSettings(hook.settings)
  try {
    if (typeof state !== 'string') {
      throw new Error('Cannot read the container state from stdin', { cause: state.error })
    }
    const input = { settings, strict, state }
    const { status, complaints } = await (direct ? runHere(input) : runInProcess(input, deadline))
    passOn(complaints)
    return strict ? status : 0
  } catch (error) {
    new Log('hook', settings.log).error(error)
    const { countHookFailure, reasonOf } = await import('../service/hook-failures.ts')
    countHookFailure(settings.runDirectory, reasonOf(error))
    return strict ? 1 : 0
  }
}

async function runHere(input: HookInput): Promise<HookResult> {
  const { runHook } = await import('./jobs/run-hook.ts')
  return runHook(input)
}

async function runInProcess(input: HookInput, deadline: number): Promise<HookResult> {
  const { runWatched } = await import('./jobs/run-watched.ts')
  return runWatched(input, deadline)
}
