/** Whether a file system answers, asked so that one that hangs does not hang us. */

import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** `gone`: nobody serves it any more. `silent`: no answer in time. */
export type Answer = 'answers' | 'gone' | 'silent'

/** Asked with statfs(2): the kernel answers stat(2) by itself for as long as it holds attributes. */
export function ask(mountPoint: string, timeoutMs: number): Promise<Answer> {
  return Promise.race([
    statfs(mountPoint).then(
      (): Answer => 'answers',
      (): Answer => 'gone',
    ),
    sleep<Answer>(timeoutMs, 'silent', { ref: false }),
  ])
}
