/** Asks whether a file system answers, so that one that hangs does not hang us. */

import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** A file system is `gone` when nobody serves it any more, and `silent` when no answer comes in time. */
export type Answer = 'answers' | 'gone' | 'silent'

/** Calls statfs(2) and not stat(2), which the kernel answers by itself for as long as it holds attributes. */
export function ask(mountPoint: string, timeoutMs: number): Promise<Answer> {
  return Promise.race([
    statfs(mountPoint).then(
      (): Answer => 'answers',
      (): Answer => 'gone',
    ),
    sleep<Answer>(timeoutMs, 'silent', { ref: false }),
  ])
}
