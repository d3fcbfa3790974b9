/** Asks whether a file system answers, by a worker: a process that waits for one may not even end. */

import type { Answer } from '../../mount/ask.ts'
import { errorCode } from '../../sys/error.ts'
import { LATE } from '../../worker/messages.ts'
import type { Workers } from '../../worker/workers.ts'

/** Throws when there is no worker to ask. */
export async function askMount(workers: Workers, path: string, timeoutMs: number): Promise<Answer> {
  try {
    return await workers.ask<Answer>('ask', path, timeoutMs)
  } catch (error) {
    if (errorCode(error) === LATE) return 'silent'
    throw error
  }
}
