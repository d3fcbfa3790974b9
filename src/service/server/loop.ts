/** The server's only loop: answers requests, and decides what to do until the next one comes. */

import type { FuseDevice } from '../../fuse/device.ts'
import type { Session } from '../../fuse/session.ts'
import { collectGarbage } from '../../sys/heap.ts'
import type { BusyPoll } from './busy-poll.ts'
import { IdleGc } from './idle-gc.ts'
import type { IdleWork } from './idle-work.ts'
import type { KeeperLink } from './keeper-link.ts'

type Served = Pick<Session, 'step' | 'readerAt' | 'isHolding' | 'retry'>

interface Loop {
  device: Pick<FuseDevice, 'yield' | 'wait'>
  keeperLink: Pick<KeeperLink, 'fd' | 'isToEnd'>
  busyPoll: BusyPoll
  preparation: Preparation
  idleWork: IdleWork
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

/** The loop's body is a method: the engine compiles a function that is called often, and one that never ends late. */
export class Turns {
  readonly #session: Served
  readonly #loop: Loop
  readonly #idleGc = new IdleGc(collectGarbage)
  #served = 0
  #retriedMs = Number.NEGATIVE_INFINITY

  constructor(session: Served, loop: Loop) {
    this.#session = session
    this.#loop = loop
  }

  /** Answers the requests that there are, or waits. Returns false when there will be no more. */
  next(): boolean {
    const work = this.#loop.preparation.take()
    const verdict = this.#session.step()
    if (verdict === 'gone') return false
    const nowMs = performance.now()
    const isServed = typeof verdict === 'number'
    if (isServed) this.#count(verdict, nowMs)
    if (this.#session.isHolding && nowMs - this.#retriedMs >= HELD_MS) {
      this.#session.retry()
      this.#retriedMs = nowMs
    }
    if (isServed && this.#served % SERVED_BETWEEN_LOOKS >= verdict) return true
    if (isServed) {
      this.#loop.untilNextMs()
      return this.#wait(0)
    }
    if (this.#loop.busyPoll.looksAgain(nowMs)) {
      if (work === undefined) this.#loop.device.yield()
      else attempt(work)
      return true
    }
    const dueMs = this.#idleGc.limit(this.#dueMs(), nowMs)
    return this.#wait(this.#loop.idleWork.limit(dueMs, nowMs))
  }

  #count(requests: number, nowMs: number): void {
    this.#served += requests
    this.#idleGc.served(requests, nowMs)
    this.#loop.idleWork.served(nowMs)
    for (let i = 0; i < requests; i++) {
      this.#loop.busyPoll.answered(this.#session.readerAt(i), nowMs)
    }
  }

  /** For how many milliseconds there is nothing else to do; -1 means for ever. */
  #dueMs(): number {
    const nextMs = this.#loop.untilNextMs()
    return this.#session.isHolding && !(nextMs >= 0 && nextMs < HELD_MS) ? HELD_MS : nextMs
  }

  #wait(timeoutMs: number): boolean {
    const { device, keeperLink } = this.#loop
    return !(device.wait(keeperLink.fd, timeoutMs) && keeperLink.isToEnd())
  }
}

/** Ignores a failure of `work`: it fails again when the request comes, and is reported then. */
function attempt(work: () => void): void {
  try {
    work()
  } catch {}
}
