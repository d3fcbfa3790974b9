/** Asks whether a file system answers, by a worker: a process that waits for one may not even end. */

import type { Answer } from '../../mount/ask.ts'
import { errorCode } from '../../sys/error.ts'
import type { Log } from '../../sys/log.ts'
import { LATE } from '../../worker/messages.ts'
import type { Workers } from '../../worker/workers.ts'

/** Throws when there is no worker to ask. */
export async function askMount(
  workers: Pick<Workers, 'ask'>,
  path: string,
  timeoutMs: number,
): Promise<Answer> {
  try {
    return await workers.ask<Answer>('ask', path, timeoutMs)
  } catch (error) {
    if (errorCode(error) === LATE) return 'silent'
    throw error
  }
}

/** It is `unasked` when there was no worker to ask it. */
export type Reply = Answer | 'unasked'

/** The same for who goes on without a worker, and is told why there was none. */
export async function tryAskMount(
  workers: Pick<Workers, 'ask'>,
  path: string,
  timeoutMs: number,
  log: Pick<Log, 'error'>,
): Promise<Reply> {
  try {
    return await askMount(workers, path, timeoutMs)
  } catch (cause) {
    log.error(new Error(`Cannot ask ${path} whether it answers`, { cause }))
    return 'unasked'
  }
}
