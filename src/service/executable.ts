/** The executable that our own processes run: this one, and the one that is to take its place. */

import { statSync } from 'node:fs'
import { childProcess } from '../sys/child-process.ts'
import { describe } from '../sys/log.ts'
import { parseSelfCheck } from './handover.ts'

/** Where the executable lies, or lay when this process was started. */
export const INSTALLED = process.execPath.replace(/ \(deleted\)$/, '')

/** The environment of a keeper. Bun would look after its memory once in a second, also while there is nothing to do. */
export const ENVIRONMENT = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  BUN_GC_TIMER_DISABLE: '1',
} as const

/** What runs this very version, whatever lies at INSTALLED by now; `argv0` is how the process shows in `ps`. */
export function ownExecutable(): { path: string; argv0: string } {
  return { path: isInstalled() ? INSTALLED : `/proc/${process.pid}/exe`, argv0: INSTALLED }
}

/** A package manager puts a new file in the place of the old one, which lives on as long as it runs. */
function isInstalled(): boolean {
  try {
    const [running, installed] = [statSync('/proc/self/exe'), statSync(INSTALLED)]
    return running.dev === installed.dev && running.ino === installed.ino
  } catch {
    return false
  }
}

const CHECK_TIMEOUT_MS = 5000

/** Has an executable prove that it runs here and can take over from this version. Rejects when it cannot. */
export function checkExecutable(path: string): Promise<void> {
  const options = { timeout: CHECK_TIMEOUT_MS, killSignal: 'SIGKILL', env: {} } as const
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`it failed its self-check: ${why}`))
    try {
      childProcess().execFile(path, ['self-check'], options, (error, stdout, stderr) => {
        const refusal = parseSelfCheck(stdout)
        if (refusal === undefined) resolve()
        else fail(stderr.trim().split('\n').at(-1) || error?.message.split('\n')[0] || refusal)
      })
    } catch (error) {
      // execve(2) has refused the file: it is no program at all.
      fail(describe(error))
    }
  })
}
