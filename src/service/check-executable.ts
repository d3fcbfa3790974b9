/** Checks whether another executable can take the place of the one that runs. */

import { execFile } from 'node:child_process'
import { describe } from '../sys/log.ts'
import { parseSelfCheck, takesRequests } from './handover.ts'

/** It takes 50 ms, and many seconds on a machine that is short of CPU. */
const CHECK_TIMEOUT_MS = 15_000

interface Checked {
  /** Whether it finds the requests that our servers have read. */
  takesRequests: boolean
}

/** Has an executable prove that it runs here and can take over from this version. Rejects when it cannot. */
export function checkExecutable(path: string): Promise<Checked> {
  const options = { timeout: CHECK_TIMEOUT_MS, killSignal: 'SIGKILL', env: {} } as const
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`it failed its self-check: ${why}`))
    try {
      execFile(path, ['self-check'], options, (error, stdout, stderr) => {
        const refusal = parseSelfCheck(stdout)
        if (refusal === undefined) resolve({ takesRequests: takesRequests(stdout) })
        else fail(stderr.trim().split('\n').at(-1) || error?.message.split('\n')[0] || refusal)
      })
    } catch (error) {
      // execve(2) has refused the file: it is no program at all.
      fail(describe(error))
    }
  })
}
