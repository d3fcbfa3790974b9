/** The server that answered before this keeper's own does: it goes on until it is told to end. */

import { closeSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasEnded, killProcess, openPid, reap } from '../../sys/process.ts'

/** For the request that it is at. One that is stopped, or in an endless loop, would never end. */
const END_MS = 1000
const LOOK_MS = 5

export class Predecessor {
  readonly #pid: number
  readonly #process: number
  readonly #control: number

  /** `control` is the writing end of the pipe that it listens to. Throws when there is no such process. */
  constructor(pid: number, control: number) {
    this.#pid = pid
    this.#control = control
    this.#process = openPid(pid)
  }

  /** Whether it can still answer, should its successor never get so far. */
  get isAlive(): boolean {
    return !hasEnded(this.#process)
  }

  kill(): void {
    killProcess(this.#process)
  }

  /** Has it end, one way or the other. */
  async end(): Promise<void> {
    try {
      writeSync(this.#control, END)
    } catch {
      // It has ended by itself.
    }
    const deadline = performance.now() + END_MS
    while (this.isAlive && performance.now() < deadline) await sleep(LOOK_MS)
    while (this.isAlive) {
      this.kill()
      await sleep(LOOK_MS)
    }
    this.close()
  }

  /** Leaves it to itself. Without a byte before, it takes the end of the pipe for our death. */
  close(): void {
    // It is our child when this process was another program before.
    reap(this.#pid)
    closeSync(this.#control)
    closeSync(this.#process)
  }
}

const END = 'e'
