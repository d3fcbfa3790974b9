/** Files of a process: /proc/PID/stat, proc_pid_stat(5), and /proc/PID/status, proc_pid_status(5). */

import type { Bytes } from './directory-file.ts'

/** PID_MAX_LIMIT of linux/threads.h. */
const PID_MAX = 2 ** 22

/**
 * Field 22 of stat, in ticks after boot: with the pid it names one process for ever. The command name is in parentheses
 * and may itself hold blanks and parentheses, so fields count from the last `)`.
 */
export function parseStartTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[22 - 3])
  if (!stat.includes(')') || !Number.isSafeInteger(ticks)) {
    throw new SyntaxError(`Cannot parse the start time of a process: "${stat.slice(0, 80)}"`)
  }
  return ticks
}

/** Field 3 of stat. The command name before it may hold parentheses. */
export function parseTaskState(stat: string): string | undefined {
  const end = stat.lastIndexOf(')')
  return end < 0 ? undefined : stat[end + 2]
}

/** Parses like `parseTaskState`, without making a string of the whole text. */
export function parseTaskStateBytes({ buffer, length }: Bytes): string | undefined {
  const end = buffer.subarray(0, length).lastIndexOf(PARENTHESIS)
  return end < 0 || end + 2 >= length ? undefined : String.fromCharCode(buffer[end + 2] as number)
}

const PARENTHESIS = 41

/** Field 4 of stat, the parent's pid; `undefined` where it is none, or outside the reader's pid namespace, which is 0. */
export function parseParent(stat: string): number | undefined {
  const parent = Number(fieldsOf(stat)[4 - 3])
  return parent > 0 && parent <= PID_MAX ? parent : undefined
}

/** USER_HZ is 100 on all architectures we run on, time(7). */
const TICK_MS = 10

/** Fields 14 and 15 of stat: the CPU time of all threads, in user mode and in the kernel. NaN when they are not there. */
export function parseCpuMs(stat: string): number {
  const fields = fieldsOf(stat)
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) * TICK_MS
}

/** Whether a process has ended and its parent has not asked how. */
export function isZombie(stat: string): boolean {
  const state = parseTaskState(stat)
  return state === 'Z' || state === 'X'
}

/** PF_EXITING of linux/sched.h. */
const PF_EXITING = 4

/** SIGKILL in a set of signals. */
const SIGKILL_BIT = 1 << (9 - 1)

/**
 * Whether a thread, of which this is /proc/PID/task/TID/stat, runs no more of its program: it has ended, or SIGKILL is
 * pending for it, with which the kernel lets no thread go back. Fields 9 and 31 are its flags and what is pending.
 */
export const isDoomed = (stat: string): boolean =>
  isExiting(stat) || (Number(fieldsOf(stat)[31 - 3]) & SIGKILL_BIT) !== 0

/** Whether a thread, of which this is /proc/PID/task/TID/stat, has ended, or the kernel is giving back what it had. */
export const isExiting = (stat: string): boolean =>
  isZombie(stat) || (Number(fieldsOf(stat)[9 - 3]) & PF_EXITING) !== 0

/** The fields from the third on. */
const fieldsOf = (stat: string) => stat.slice(stat.lastIndexOf(')') + 2).split(' ')

/** What stands behind `name:` and a tab in status. */
export function parseStatusField(status: string, name: string): string | undefined {
  const head = `${name}:\t`
  const start = status.startsWith(head) ? 0 : status.indexOf(`\n${head}`) + 1
  if (start === 0 && !status.startsWith(head)) return undefined
  const end = status.indexOf('\n', start)
  return status.slice(start + head.length, end < 0 ? status.length : end)
}

/**
 * The line NSpid of status: the pid in each pid namespace, from the reader's down to the process's own. `undefined`
 * when the line is not there, or holds anything but numbers.
 */
export function parsePids(status: string): number[] | undefined {
  const pids = parseStatusField(status, 'NSpid')
    ?.trim()
    .split(/[ \t]+/)
  return pids?.every(pid => /^\d+$/.test(pid)) ? pids.map(Number) : undefined
}

/** The last pid of `parsePids`; `undefined` when that can be no pid. */
export function parseInnermostPid(status: string): number | undefined {
  const pid = parsePids(status)?.at(-1) ?? Number.NaN
  return pid <= PID_MAX ? pid : undefined
}
