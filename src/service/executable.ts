/** The executable that our own processes run. */

import { readlinkSync } from 'node:fs'

/** The path that this executable had when the process was started. Another file may lie there by now. */
export const INSTALLED = process.execPath.replace(/ \(deleted\)$/, '')

/**
 * The environment of a keeper and of workers. Without BUN_GC_TIMER_DISABLE, Bun looks after its memory once in a second, even while
 * there is nothing to do.
 */
export const ENVIRONMENT = {
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  BUN_GC_TIMER_DISABLE: '1',
} as const

/**
 * Returns a `path` that runs this very version, whatever lies at INSTALLED by now, and the `argv0` that `ps` shows for
 * the process.
 */
export function ownExecutable(): { path: string; argv0: string } {
  return { path: isInstalled() ? INSTALLED : `/proc/${process.pid}/exe`, argv0: INSTALLED }
}

/**
 * Whether INSTALLED is still the file that this process runs. A package manager puts a new file in the place of the
 * old one, which lives on as long as a process runs it: the kernel then calls it "INSTALLED (deleted)", proc_pid_exe(5),
 * or what it was renamed to. The link is read, and not what it leads to, since an emulator of another processor answers
 * stat(2) of /proc/self/exe with its own file.
 */
function isInstalled(): boolean {
  try {
    return readlinkSync('/proc/self/exe') === INSTALLED
  } catch {
    return false
  }
}
