/** Descriptors that only name a file: the file system is not asked for anything, and a device is not opened. */

import { readFileSync } from 'node:fs'

/** From <asm-generic/fcntl.h>; node:fs does not name it. */
export const O_PATH = 0o10000000

/** The id of the mount that `fd` is on: mnt_id in proc_pid_fdinfo(5). */
export function mountIdOf(fd: number): number {
  const line = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))
  return Number(line?.[1] ?? -1)
}
