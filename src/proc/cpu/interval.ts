/** The time from one reading to the next, and what a container could use of its CPUs in it. */

export interface Interval {
  usec: number
  /**
   * CPU time that the container could use in a unit of time: the smaller and the larger `quotaCpus` at the two readings.
   * Nobody knows when in between a limit changed. So work is accepted up to the larger one, and idle is what it left of
   * the smaller.
   */
  leastCpus: number
  mostCpus: number
}

/** What can be used of a virtual CPU, 0 to 1: the CPUs of a quota are whole but the last one, which has the fraction. */
export function usablePart(quotaCpus: number, cpu: number): number {
  return Math.min(Math.max(quotaCpus - cpu, 0), 1)
}

/** How many CPUs get work first: the whole ones, or the only one. */
export function wholeCpus(quotaCpus: number): number {
  return Math.max(Math.floor(quotaCpus), 1)
}
