/** Arithmetic on CPU time that a container used: what was used since, and which virtual CPUs did it. */

import type { CpuWork } from '../../cgroup/cpu.ts'

export type Work = Readonly<CpuWork>

export const NO_WORK: Work = { userUsec: 0, niceUsec: 0, systemUsec: 0 }

export const workUsec = (work: Work): number => work.userUsec + work.niceUsec + work.systemUsec

export function addWork(a: Work, b: Work): Work {
  return {
    userUsec: a.userUsec + b.userUsec,
    niceUsec: a.niceUsec + b.niceUsec,
    systemUsec: a.systemUsec + b.systemUsec,
  }
}

export function scaleWork(work: Work, factor: number): Work {
  return {
    userUsec: work.userUsec * factor,
    niceUsec: work.niceUsec * factor,
    systemUsec: work.systemUsec * factor,
  }
}

/** At most `mostUsec` of the work, in its own mix. */
export function capWork(work: Work, mostUsec: number): Work {
  const usec = workUsec(work)
  return usec > mostUsec ? scaleWork(work, mostUsec / usec) : work
}

/**
 * What was used between two readings of a counter, never negative.
 *
 * The kernel moves time between user and system when it learns more, so one part may fall while the whole
 * grows: the whole is right then. When the whole falls the cgroup was made anew, and what it counts now came
 * since; unless that is more than `mostUsec`, all that could be used.
 */
export function workSince(now: Work, before: Work, mostUsec: number): Work {
  const used = addWork(now, scaleWork(before, -1))
  if (used.userUsec >= 0 && used.niceUsec >= 0 && used.systemUsec >= 0) return used
  if (workUsec(used) >= 0) {
    return capWork(
      mapWork(used, usec => Math.max(usec, 0)),
      workUsec(used),
    )
  }
  return {
    userUsec: usecAnew(now.userUsec, used.userUsec, mostUsec),
    niceUsec: usecAnew(now.niceUsec, used.niceUsec, mostUsec),
    systemUsec: usecAnew(now.systemUsec, used.systemUsec, mostUsec),
  }
}

function usecAnew(nowUsec: number, usedUsec: number, mostUsec: number): number {
  if (usedUsec >= 0) return usedUsec
  return nowUsec < mostUsec ? nowUsec : 0
}

function mapWork(work: Work, change: (usec: number) => number): Work {
  return {
    userUsec: change(work.userUsec),
    niceUsec: change(work.niceUsec),
    systemUsec: change(work.systemUsec),
  }
}

export interface Spread {
  /** By virtual CPU, each at most the room. */
  busy: Work[]
  /** What all CPUs together had no room for. */
  left: Work
}

/**
 * Gives each virtual CPU its `own` work and its part, by `weights`, of the `common` work. What passes
 * `roomUsec` on one CPU goes to those with room left, in proportion to that room. Work keeps the mix of
 * where it came from, so nothing is lost: the parts of `busy` and `left` add up to those given.
 */
export function spreadWork(
  own: readonly Work[],
  common: Work,
  weights: readonly number[],
  roomUsec: number,
): Spread {
  const weight = weights.reduce((sum, w) => sum + w, 0)
  const offered = own.map((work, i) =>
    addWork(work, scaleWork(common, weight > 0 ? (weights[i] ?? 0) / weight : 1 / own.length)),
  )
  const all = offered.reduce(addWork, NO_WORK)
  const capacityUsec = roomUsec * own.length
  const kept = workUsec(all) > capacityUsec ? capacityUsec / workUsec(all) : 1

  let surplus = NO_WORK
  const busy = offered.map(work => {
    const wanted = scaleWork(work, kept)
    const taken = capWork(wanted, roomUsec)
    if (taken !== wanted) surplus = addWork(surplus, addWork(wanted, scaleWork(taken, -1)))
    return taken
  })
  if (surplus !== NO_WORK) placeSurplus(busy, surplus, roomUsec)
  return { busy, left: scaleWork(all, 1 - kept) }
}

/** The surplus is never more than the room, but for the rounding of doubles: one round places it. */
function placeSurplus(busy: Work[], surplus: Work, roomUsec: number): void {
  const rooms = busy.map(work => Math.max(roomUsec - workUsec(work), 0))
  const room = Math.max(
    rooms.reduce((sum, usec) => sum + usec, 0),
    workUsec(surplus),
  )
  rooms.forEach((usec, i) => {
    busy[i] = addWork(busy[i] ?? NO_WORK, scaleWork(surplus, usec / room))
  })
}
