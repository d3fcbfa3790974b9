/** /proc/PID/stat, proc_pid_stat(5). */

/**
 * Field 22, in ticks after boot: with the pid it names one process for ever. The command name is in
 * parentheses and may itself hold blanks and parentheses, so fields count from the last `)`.
 */
export function parseStartTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[22 - 3])
  if (!stat.includes(')') || !Number.isSafeInteger(ticks)) {
    throw new SyntaxError(`Cannot parse the start time of a process: "${stat.slice(0, 80)}"`)
  }
  return ticks
}

/** A zombie: it has ended, and its parent has not asked how. */
export function isZombie(stat: string): boolean {
  const state = stat[stat.lastIndexOf(')') + 2]
  return state === 'Z' || state === 'X'
}
