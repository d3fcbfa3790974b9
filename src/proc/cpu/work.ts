/**
 * Arithmetic on CPU time that a container used: what was used since, and which virtual CPUs did it. Work is three
 * numbers in a row, user, nice and system time, and is changed where it stands: it is computed at each reading.
 */

import type { CpuWork } from '../../cgroup/cpu.ts'
import { type Interval, usablePart } from './interval.ts'

/** How many numbers work is. */
export const WORK_FIELDS = 3

export function workUsec(work: Float64Array, at = 0): number {
  return (work[at] as number) + (work[at + 1] as number) + (work[at + 2] as number)
}

export function setWork(work: Float64Array, at: number, from: CpuWork): void {
  work[at] = from.userUsec
  work[at + 1] = from.niceUsec
  work[at + 2] = from.systemUsec
}

/** Adds `other` at `otherAt`, times `factor`. */
export function addWork(
  work: Float64Array,
  at: number,
  other: Float64Array,
  otherAt: number,
  factor = 1,
): void {
  for (let i = 0; i < WORK_FIELDS; i++) {
    work[at + i] = (work[at + i] as number) + (other[otherAt + i] as number) * factor
  }
}

export function scaleWork(work: Float64Array, at: number, factor: number): void {
  for (let i = 0; i < WORK_FIELDS; i++) work[at + i] = (work[at + i] as number) * factor
}

/** Leaves at most `mostUsec` of the work, in its own mix. */
export function capWork(work: Float64Array, at: number, mostUsec: number): void {
  const usec = workUsec(work, at)
  if (usec > mostUsec) scaleWork(work, at, mostUsec / usec)
}

/**
 * Takes from `work`, a counter's reading, what an earlier reading `before` had counted: what was used between them stays,
 * never negative.
 *
 * The kernel moves time between user and system when it learns more, so one part may fall while the whole
 * grows: the whole is right then. When the whole falls the cgroup was made anew, and what it counts now came
 * since; unless that is more than `mostUsec`, all that could be used.
 */
export function takeWork(
  work: Float64Array,
  at: number,
  before: Float64Array,
  beforeAt: number,
  mostUsec: number,
): void {
  const user = (work[at] as number) - (before[beforeAt] as number)
  const nice = (work[at + 1] as number) - (before[beforeAt + 1] as number)
  const system = (work[at + 2] as number) - (before[beforeAt + 2] as number)
  const wholeUsec = user + nice + system
  if (wholeUsec >= 0) {
    work[at] = Math.max(user, 0)
    work[at + 1] = Math.max(nice, 0)
    work[at + 2] = Math.max(system, 0)
    if (user < 0 || nice < 0 || system < 0) capWork(work, at, wholeUsec)
    return
  }
  work[at] = usecAnew(work[at] as number, user, mostUsec)
  work[at + 1] = usecAnew(work[at + 1] as number, nice, mostUsec)
  work[at + 2] = usecAnew(work[at + 2] as number, system, mostUsec)
}

function usecAnew(nowUsec: number, usedUsec: number, mostUsec: number): number {
  if (usedUsec >= 0) return usedUsec
  return nowUsec < mostUsec ? nowUsec : 0
}

const all = new Float64Array(WORK_FIELDS)
const surplus = new Float64Array(WORK_FIELDS)

/**
 * Gives each of `count` virtual CPUs, besides its own work in `busy`, its part, by `weights`, of the `common` work. What
 * passes `roomUsec` on one CPU goes to those with room left, in proportion to that room; what all together have no room
 * for is left in `common`. Work keeps the mix of where it came from, so nothing is lost.
 */
export function spreadWork(
  busy: Float64Array,
  count: number,
  common: Float64Array,
  weights: Float64Array,
  roomUsec: number,
): void {
  let weight = 0
  for (let i = 0; i < count; i++) weight += weights[i] as number
  all.fill(0)
  for (let i = 0; i < count; i++) {
    const part = weight > 0 ? (weights[i] as number) / weight : 1 / count
    addWork(busy, i * WORK_FIELDS, common, 0, part)
    addWork(all, 0, busy, i * WORK_FIELDS)
  }
  const capacityUsec = roomUsec * count
  const allUsec = workUsec(all)
  const kept = allUsec > capacityUsec ? capacityUsec / allUsec : 1
  surplus.fill(0)
  for (let at = 0; at < count * WORK_FIELDS; at += WORK_FIELDS) {
    scaleWork(busy, at, kept)
    if (workUsec(busy, at) <= roomUsec) continue
    addWork(surplus, 0, busy, at)
    capWork(busy, at, roomUsec)
    addWork(surplus, 0, busy, at, -1)
  }
  if (workUsec(surplus) > 0) placeSurplus(busy, count, roomUsec)
  for (let i = 0; i < WORK_FIELDS; i++) common[i] = (all[i] as number) * (1 - kept)
}

/** The surplus is never more than the room, but for the rounding of doubles: one round places it. */
function placeSurplus(busy: Float64Array, count: number, roomUsec: number): void {
  let room = 0
  for (let i = 0; i < count; i++) room += Math.max(roomUsec - workUsec(busy, i * WORK_FIELDS), 0)
  room = Math.max(room, workUsec(surplus))
  for (let at = 0; at < count * WORK_FIELDS; at += WORK_FIELDS) {
    const usec = Math.max(roomUsec - workUsec(busy, at), 0)
    addWork(busy, at, surplus, 0, usec / room)
  }
}

/**
 * Gives each virtual CPU from `first` on, one after the other, as much of the `common` work as it has room for in the
 * interval. What all together have no room for is left in `common`.
 */
export function fillWork(
  busy: Float64Array,
  first: number,
  common: Float64Array,
  { usec, mostCpus }: Interval,
): void {
  for (let cpu = first; cpu < mostCpus; cpu++) {
    const commonUsec = workUsec(common)
    if (commonUsec <= 0) return
    const at = cpu * WORK_FIELDS
    const roomUsec = Math.max(usec * usablePart(mostCpus, cpu) - workUsec(busy, at), 0)
    const takenUsec = Math.min(roomUsec, commonUsec)
    addWork(busy, at, common, 0, takenUsec / commonUsec)
    scaleWork(common, 0, (commonUsec - takenUsec) / commonUsec)
  }
}
