/**
 * How long a server has been silent while a request waits. What counts is whether it gets on, not how long a request
 * waits: each answer, to whomever, ends the silence; and where a server wants to run and gets no CPU time, little counts.
 */

/** What a look at the server that answers finds. */
export interface Look {
  pid: number | undefined
  /** How many requests servers have answered. A server of a version that does not count leaves this as it is. */
  answered: number
  /** The CPU time that the server has used. */
  cpuMs: number
  /** Whether one of its threads runs, or waits for a CPU. */
  wantsCpu(): boolean
}

/** A look counts at most this, twice the time between looks: its keeper may have been stopped, or without CPU time. */
const MOST_MS = 800

/** Who gets half of a CPU is not short of CPU time. */
const ENOUGH_CPU = 0.5

/** Of a server that waits for a CPU this part counts all the same: in the end it is replaced, too. */
const LEAST = 1 / 50

export class Silence {
  #beganMs = 0
  #beforeMs = 0
  /** `undefined` while there is no silence. */
  #before: Look | undefined
  #silentMs = 0

  /** Begins while a request waits. `nowMs` is of a clock that never goes back. */
  begin(nowMs: number, look: Look): void {
    this.#beganMs = nowMs
    this.#beforeMs = nowMs
    this.#before = look
    this.#silentMs = 0
  }

  /** To be called when no request waits. */
  end(): void {
    this.#before = undefined
  }

  /** Returns how long the silence has lasted, as far as that counts. One that has not begun begins. */
  add(nowMs: number, look: Look): number {
    const before = this.#before
    if (before?.pid !== look.pid || before?.answered !== look.answered) {
      this.begin(nowMs, look)
      return 0
    }
    const passedMs = Math.min(nowMs - this.#beforeMs, MOST_MS)
    this.#silentMs += countedMs(passedMs, look.cpuMs - before.cpuMs, look.wantsCpu())
    this.#beforeMs = nowMs
    this.#before = look
    return this.#silentMs
  }

  /** How long the silence has lasted by the clock. */
  lengthMs(nowMs: number): number {
    return nowMs - this.#beganMs
  }
}

/** A server that is stopped, or sleeps in the kernel, is silent for all of the time; one in an endless loop, too. */
function countedMs(passedMs: number, cpuMs: number, wantsCpu: boolean): number {
  if (!wantsCpu) return passedMs
  return Math.min(passedMs, Math.max(passedMs * LEAST, cpuMs / ENOUGH_CPU))
}
