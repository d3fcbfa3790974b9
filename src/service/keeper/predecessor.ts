/** The server that answered before this keeper's own does: it goes on until it reads READY from its pipe. */

import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasEnded, killProcess, openPid, reap } from '../../sys/process.ts'
import { READY, say } from '../handover.ts'

/** A predecessor gets this long for the request that it is at. One that is stopped, or in an endless loop, is killed. */
const END_MS = 1000
const LOOK_MS = 5

export class Predecessor {
  readonly #pid: number
  readonly #process: number
  readonly #pipe: number

  /** `pipe` is the writing end of the pipe that it listens to. Throws when there is no such process. */
  constructor(pid: number, pipe: number) {
    this.#pid = pid
    this.#pipe = pipe
    this.#process = openPid(pid)
  }

  /** Whether it can still answer, should its successor never get so far. */
  get isAlive(): boolean {
    return !hasEnded(this.#process)
  }

  kill(): void {
    killProcess(this.#process)
  }

  /** Tells it to end, and returns when it has, killed or not. */
  async end(): Promise<void> {
    say(this.#pipe, READY)
    const deadline = performance.now() + END_MS
    while (this.isAlive && performance.now() < deadline) await sleep(LOOK_MS)
    while (this.isAlive) {
      this.kill()
      await sleep(LOOK_MS)
    }
    this.close()
  }

  /** Leaves it to itself. Without a word before, it takes the end of the pipe for our death. */
  close(): void {
    // It is our child when this process was another version before.
    reap(this.#pid)
    closeSync(this.#pipe)
    closeSync(this.#process)
  }
}
