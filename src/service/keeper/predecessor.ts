/** The server that answers until the keeper's own server does. It goes on until it reads READY from its pipe. */

import { closeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Host } from '../../host/host.ts'
import { hasEnded, killProcess, openPid, reap } from '../../sys/process.ts'
import { untilGone } from '../doomed.ts'
import { say, TAKEN_OVER } from '../handover.ts'

/**
 * A predecessor gets this long to finish a request. A predecessor that is stopped, or in an endless loop, is killed
 * then.
 */
const END_MS = 1000
const LOOK_MS = 5

export class Predecessor {
  readonly pid: number
  readonly #host: Host
  readonly #process: number
  readonly #pipe: number | undefined

  /**
   * `pipe` is the writing end of the pipe that the server listens to, if it listens to this keeper. Throws when there is
   * no process `pid`.
   */
  constructor(host: Host, pid: number, pipe?: number) {
    this.#host = host
    this.pid = pid
    this.#pipe = pipe
    this.#process = openPid(pid)
  }

  /** Whether the server can still answer, should its successor never get so far. */
  get isAlive(): boolean {
    return !hasEnded(this.#process)
  }

  kill(): void {
    killProcess(this.#process)
  }

  /**
   * Tells the server to end, and returns when it answers nothing more, killed or not: false when it was killed and is
   * not gone.
   */
  async end(): Promise<boolean> {
    if (this.#pipe !== undefined) {
      say(this.#pipe, TAKEN_OVER)
      const deadline = performance.now() + END_MS
      while (this.isAlive && performance.now() < deadline) await sleep(LOOK_MS)
    }
    if (this.isAlive) this.kill()
    const isGone = await untilGone(this.#host, this.pid, () => !this.isAlive)
    this.close()
    return isGone
  }

  /**
   * Leaves the server to itself. A server that was not told to end takes the end of the pipe for the keeper's death.
   */
  close(): void {
    // The server is a child of this process when this process was another version before.
    reap(this.pid)
    if (this.#pipe !== undefined) closeSync(this.#pipe)
    closeSync(this.#process)
  }
}
