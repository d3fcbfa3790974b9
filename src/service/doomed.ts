/**
 * Processes that were killed and are not gone: they wait in the kernel, for a file system that does not answer, or a
 * cgroup of version 1 has frozen them. Such a process holds its descriptors and its locks, perhaps for ever. Nobody needs
 * to wait for it: it answers nothing more.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '../host/host.ts'
import { isDoomed, isExiting } from '../host/proc-pid.ts'

/** A killed process is gone within 10 ms, on a machine under load within 100 ms. */
const GONE_MS = 200

/** Giving back its memory takes a process seconds on a machine that emulates another processor. */
const EXITED_MS = 3000
const LOOK_MS = 10

/**
 * Whether no thread of a process runs its program any more. At most the system call that a thread is in is still done.
 * The kernel makes the files that are read here without waiting for the process. A killed process makes no new threads:
 * copy_process() of kernel/fork.c.
 */
export const isProcessDoomed = (host: Host, pid: number): boolean =>
  everyThread(host, pid, isDoomed)

function everyThread(host: Host, pid: number, is: (stat: string) => boolean): boolean {
  return host.list(`proc/${pid}/task`).every(thread => {
    const stat = host.tryRead(`proc/${pid}/task/${thread}/stat`)
    return stat === undefined || is(stat)
  })
}

/**
 * To be called when process `pid` was killed. Returns true when it is gone, and false when it is not, but can be left to
 * itself.
 */
export async function untilGone(host: Host, pid: number, isGone: () => boolean): Promise<boolean> {
  const startMs = performance.now()
  for (;;) {
    if (isGone()) return true
    const tookMs = performance.now() - startMs
    const isLate = tookMs >= EXITED_MS || !everyThread(host, pid, isExiting)
    if (tookMs >= GONE_MS && isLate && isProcessDoomed(host, pid)) return false
    await sleep(LOOK_MS)
  }
}
