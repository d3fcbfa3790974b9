/** get_nprocs(3) of glibc, sysdeps/unix/sysv/linux/getsysstats.c: what sysconf(_SC_NPROCESSORS_ONLN) gives. */

import { linesOf, refuse } from './refusal.ts'

/** Texts of sys/devices/system/cpu/online and proc/stat; 0 where it would go on to the affinity mask. */
export function getNprocs(online: string, stat: string): number {
  return countList(online) || countStat(stat)
}

/** A list that it cannot read to the end counts as none. */
function countList(list: string): number {
  let count = 0
  for (const part of (list.split('\n', 1)[0] ?? '').split(',')) {
    const [, first, last] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? []
    if (first === undefined) return 0
    count += Number(last ?? first) - Number(first) + 1
  }
  return count
}

/** The lines `cpuN` up to the first line that is no CPU's. */
function countStat(stat: string): number {
  let count = 0
  for (const line of linesOf(stat)) {
    if (!line.startsWith('cpu')) break
    if (/^cpu\d/.test(line)) count++
  }
  return count
}

export function checkOnline(text: string): void {
  if (countList(text) < 1) refuse('glibc', 'the CPUs that are online', text)
}

export function checkStat(text: string): void {
  if (countStat(text) < 1) refuse('glibc', 'the CPUs of stat', text)
}
