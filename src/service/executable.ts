/** The executable that our own processes run. */

import { statSync } from 'node:fs'

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
