/**
 * `procveil hook`: what a container runtime runs, once when it has created a container and once when that has
 * stopped. A container must never fail to start because of us: whatever goes wrong is logged and undone, and the
 * exit status is 0 unless `--strict` was given.
 *
 * This process touches nothing that can hang: a worker of the service does the work, or, where there is none, a process
 * of its own. After a deadline it leaves them to themselves.
 */

import { readSync } from 'node:fs'
import { MAX_STATE_BYTES } from '../oci/state.ts'
import type { Settings } from '../service/settings.ts'
import { errorCode } from '../sys/error.ts'
import { Log, passOn } from '../sys/log.ts'
import { waitReadable } from '../sys/poll.ts'
import { askService } from '../worker/ask-service.ts'
import type { HookInput, HookResult } from './jobs/run-hook.ts'

interface HookOptions {
  strict: boolean
  /** Whether this is the process that another hook watches over. */
  direct: boolean
  timeoutSeconds: number | undefined
}

/** A hook ends within this time. Runtimes give it the 20 s of its entry, and some fail the container at 10 or 15. */
const TIMEOUT_SECONDS = 12

/** The service is waited for this long. It answers within milliseconds, unless it was stopped or the machine is busy. */
const SERVICE_MS = 6000

const STDIN_TIMEOUT_MS = 5000
const EAGAIN = 'EAGAIN'

/** Returns the exit status. */
export async function hook(
  settings: Settings,
  { strict, direct, timeoutSeconds = TIMEOUT_SECONDS }: HookOptions,
): Promise<number> {
  const timeoutMs = 1000 * timeoutSeconds
  const deadline = performance.now() + timeoutMs
  const serviceMs = Math.min(SERVICE_MS, timeoutMs / 2)
  try {
    const input: HookInput = { settings, strict, state: readStdin() }
    const { status, complaints } = direct
      ? await runHere(input)
      : (askService<HookResult>(settings.runDirectory, 'hook', input, serviceMs) ??
        (await runInProcess(input, deadline)))
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

/** Reads to the end, or until there is more than any state can be. */
function readStdin(): string {
  const chunks: Buffer[] = []
  let length = 0
  while (length <= MAX_STATE_BYTES) {
    const chunk = Buffer.allocUnsafe(64 * 1024)
    const size = readSome(chunk)
    if (size === 0) break
    chunks.push(chunk.subarray(0, size))
    length += size
  }
  return Buffer.concat(chunks).toString()
}

/** Waits where there is nothing to read yet: the caller may have made our stdin non-blocking. */
function readSome(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(0, chunk)
    } catch (cause) {
      const nothingYet = errorCode(cause) === EAGAIN
      if (nothingYet && waitReadable(0, STDIN_TIMEOUT_MS) !== 0) continue
      throw new Error('Cannot read the container state from stdin', { cause })
    }
  }
}
