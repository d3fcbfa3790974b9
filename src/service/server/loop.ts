/** The server's only loop: answers requests, and decides what to do until the next one comes. */

import type { FuseDevice } from '../../fuse/device.ts'
import type { Session } from '../../fuse/session.ts'
import { collectGarbage } from '../../sys/heap.ts'
import type { Answered } from '../answered.ts'
import { BusyPoll } from './busy-poll.ts'
import { IdleGc } from './idle-gc.ts'
import type { KeeperLink } from './keeper-link.ts'

type Served = Pick<Session, 'step' | 'kind' | 'isHolding' | 'retry'>

interface Loop {
  device: Pick<FuseDevice, 'yield' | 'wait'>
  keeperLink: Pick<KeeperLink, 'fd' | 'isToEnd'>
  preparation: Preparation
  /** Called when the first request was answered. */
  answered: () => void
  /** Told of each request that was answered, so that the keeper sees that this server gets on. */
  progress: Pick<Answered, 'count'>
  /** Does what is due by now. Returns for how many milliseconds there is nothing else to do; -1 means for ever. */
  untilNextMs: () => number
}

/** Work for the request that is expected next. It is done while the process that will send the request wakes up. */
export class Preparation {
  #work: (() => void) | undefined

  want(work: () => void): void {
    this.#work = work
  }

  /** Returns the work that was wanted last, and only once: it is of no use after another request was answered. */
  take(): (() => void) | undefined {
    const work = this.#work
    this.#work = undefined
    return work
  }
}

/** The server looks at the pipe from its keeper after so many requests, where requests never pause. */
const SERVED_BETWEEN_LOOKS = 1000

/** Requests that wait for a worker are looked at again after so long, whatever else there is to do. */
const HELD_MS = 2

/** Returns when the file system was unmounted, or when the keeper wants it. */
export function runLoop(session: Served, loop: Loop): void {
  const { device, keeperLink, preparation, answered, progress, untilNextMs } = loop
  const busyPoll = new BusyPoll()
  const idleGc = new IdleGc(collectGarbage)
  let retriedMs = Number.NEGATIVE_INFINITY
  for (let served = 0; ; ) {
    const work = preparation.take()
    const verdict = session.step()
    if (verdict === 'gone') return
    const nowMs = performance.now()
    if (typeof verdict === 'number') {
      if (served === 0) answered()
      served += verdict
      progress.count(verdict)
      idleGc.served(verdict, nowMs)
      busyPoll.arrived(nowMs)
      busyPoll.replied(session.kind, nowMs)
    }
    if (session.isHolding && nowMs - retriedMs >= HELD_MS) {
      session.retry()
      retriedMs = nowMs
    }
    if (typeof verdict === 'number') {
      if (served % SERVED_BETWEEN_LOOKS >= verdict) continue
    } else if (busyPoll.looksAgain(nowMs)) {
      if (work === undefined) device.yield()
      else attempt(work)
      continue
    }
    const nextMs = untilNextMs()
    const dueMs = session.isHolding && !(nextMs >= 0 && nextMs < HELD_MS) ? HELD_MS : nextMs
    const timeoutMs = typeof verdict === 'number' ? 0 : idleGc.limit(dueMs, performance.now())
    if (device.wait(keeperLink.fd, timeoutMs) && keeperLink.isToEnd()) return
  }
}

/** Ignores a failure of `work`: it fails again when the request comes, and is reported then. */
function attempt(work: () => void): void {
  try {
    work()
  } catch {}
}
