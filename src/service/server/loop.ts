/** The server's only loop: answers what comes, and decides what to do until something comes. */

import type { FuseDevice } from '../../fuse/device.ts'
import type { Session } from '../../fuse/session.ts'
import { collectGarbage } from '../../sys/heap.ts'
import type { Ahead } from './ahead.ts'
import { Pace } from './busy-poll.ts'
import { Leisure } from './idle-gc.ts'
import type { Control } from './keeper-link.ts'

export interface Answering {
  device: FuseDevice
  control: Control
  ahead: Ahead
  /** Called when the first request was answered. */
  answered: () => void
  /** How long there is nothing else to do; -1 for ever. What is due is done when this is asked. */
  untilNextMs: () => number
}

/** Readers that never pause must not keep the keeper's word from us. */
const SERVED_BETWEEN_LOOKS = 1000

/** Returns when the file system was unmounted, or when the keeper wants it. */
export function answer(session: Session, answering: Answering): void {
  const { device, control, ahead, answered, untilNextMs } = answering
  const pace = new Pace()
  const leisure = new Leisure(collectGarbage)
  for (let served = 0; ; ) {
    const work = ahead.take()
    const verdict = session.step()
    if (verdict === 'gone') return
    if (typeof verdict === 'number') {
      if (served === 0) answered()
      served += verdict
      const nowMs = performance.now()
      leisure.served(verdict, nowMs)
      pace.arrived(nowMs)
      pace.replied(session.kind, nowMs)
      if (served % SERVED_BETWEEN_LOOKS >= verdict) continue
    } else if (pace.isSoon(performance.now())) {
      if (work === undefined) device.yield()
      else attempt(work)
      continue
    }
    const timeoutMs =
      typeof verdict === 'number' ? 0 : leisure.limit(untilNextMs(), performance.now())
    if (device.wait(control.fd, timeoutMs) && control.isToEnd()) return
  }
}

/** What fails will fail again, and be told, where it is needed. */
function attempt(work: () => void): void {
  try {
    work()
  } catch {}
}
