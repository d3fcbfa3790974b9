/** Other processes, and what this one is to become: pidfd_open(2), pidfd_send_signal(2), execve(2). */

import { ptr } from 'bun:ffi'
import { SysError } from './error.ts'
import { checked, cstring, errno, int, libc, long, pointer } from './libc.ts'
import { waitReadable } from './poll.ts'

const SYS_PIDFD_SEND_SIGNAL = 424
const SYS_PIDFD_OPEN = 434
const SIGKILL = 9
const PR_SET_PDEATHSIG = 1
const WNOHANG = 1
const F_SETFD = 2
const FD_CLOEXEC = 1

const calls = libc({ syscall: { args: [long, long, long, pointer, long], returns: int } })
const own = libc({ prctl: { args: [int, long], returns: int } })
const wait = libc({ waitpid: { args: [int, pointer, int], returns: int } })
const replace = libc({
  execve: { args: [pointer, pointer, pointer], returns: int },
  fcntl: { args: [int, int, long], returns: int },
})

/** A descriptor that stands for this very process, also after its pid is used again. */
export function openPid(pid: number): number {
  const fd = calls().syscall(SYS_PIDFD_OPEN, pid, 0, null, 0)
  return checked(fd, 'pidfd_open', `find process ${pid}`)
}

/** Whether a process has ended. The descriptor tells, so that it can be asked in any mount namespace. */
export const hasEnded = (pidfd: number) => waitReadable(pidfd, 0) > 0

/** Sends SIGKILL, which does nothing to a process that has ended. */
export function killProcess(pidfd: number): void {
  calls().syscall(SYS_PIDFD_SEND_SIGNAL, pidfd, SIGKILL, null, 0)
}

/** Has the kernel kill this process when the one that has started it ends: prctl(2), PR_SET_PDEATHSIG. */
export function endWithParent(): void {
  own().prctl(PR_SET_PDEATHSIG, SIGKILL)
}

/** Lets the kernel forget a child of ours that has ended, when nobody else waits for it. */
export function reap(pid: number): void {
  wait().waitpid(pid, null, WNOHANG)
}

/**
 * Goes on as another program under the same pid, with `kept` as the only descriptors beyond stderr. Comes back only
 * by throwing: when the program cannot be run.
 */
export function become(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  kept: readonly number[],
): never {
  const texts = [program, ...args].map(cstring)
  const variables = Object.entries(environment).map(([name, value]) => cstring(`${name}=${value}`))
  const path = cstring(program)
  for (const fd of kept) replace().fcntl(fd, F_SETFD, 0)
  replace().execve(path, pointers(texts), pointers(variables))
  const failure = errno()
  for (const fd of kept) replace().fcntl(fd, F_SETFD, FD_CLOEXEC)
  throw new SysError('execve', failure, `run ${program}`)
}

/** An array of C strings, ended by NULL. */
function pointers(strings: readonly Buffer[]): BigUint64Array {
  return new BigUint64Array([...strings.map(each => BigInt(ptr(each))), 0n])
}
