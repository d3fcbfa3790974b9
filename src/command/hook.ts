/**
 * `procveil hook`: what a container runtime runs, once when it has created a container and once when that has
 * stopped. A container must never fail to start because of us: whatever goes wrong is logged and undone, and the
 * exit status is 0 unless `--strict` was given.
 *
 * This process touches nothing that can hang: a worker of the service does the work, or, where there is none, a process
 * of its own. After a deadline it leaves them to themselves.
 *
 * A runtime waits for it, so where a worker answers it loads nothing of node:, and ends at once.
 */

import { MAX_STATE_BYTES } from '../oci/state-size.ts'
import type { Settings } from '../service/default-settings.ts'
import { exitNow, readStdin, writeStderr } from '../sys/bare-process.ts'
import { askService } from '../worker/ask-service.ts'
import type { FastCommand } from './arguments.ts'
import type { HookInput, HookResult } from './jobs/run-hook.ts'

/** A hook ends within this time. Runtimes give it the 20 s of its entry, and some fail the container at 10 or 15. */
const TIMEOUT_SECONDS = 12

/** The service is waited for this long. It answers within milliseconds, unless it was stopped or the machine is busy. */
const SERVICE_MS = 6000

const STDIN_TIMEOUT_MS = 5000

/** Returns the exit status, or ends the process with it. */
export async function hook(command: Omit<FastCommand, 'name' | 'operands'>): Promise<number> {
  const { settings, strict, direct, timeoutSeconds = TIMEOUT_SECONDS } = command
  const timeoutMs = 1000 * timeoutSeconds
  const deadline = performance.now() + timeoutMs
  const state = tryReadStdin()
  if (!direct && areAbsolute(settings) && typeof state === 'string') {
    const input: HookInput = { settings, strict, state }
    const serviceMs = Math.min(SERVICE_MS, timeoutMs / 2)
    const answer = askService<HookResult>(settings.runDirectory, 'hook', input, serviceMs)
    if (answer !== undefined) {
      writeStderr(answer.complaints)
      exitNow(strict ? answer.status : 0)
    }
  }
  const { runAlone } = await import('./hook-alone.ts')
  return runAlone({ settings, strict, state, direct, deadline })
}

/** What could not be read is reported where the log can be written. */
function tryReadStdin(): string | { error: unknown } {
  try {
    return readStdin(MAX_STATE_BYTES, STDIN_TIMEOUT_MS)
  } catch (error) {
    return { error }
  }
}

/** A worker has another working directory. */
const areAbsolute = (settings: Settings) =>
  Object.values(settings).every(path => path === undefined || path.startsWith('/'))
