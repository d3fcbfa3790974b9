/**
 * Tells when a descriptor has something to read, without waiting for it: signal-driven I/O, fcntl(2) F_SETSIG. The
 * signal is SIGURG, which does nothing to a program that does not expect it.
 */

import { checked, int, libc, long, pointer } from './libc.ts'

const calls = libc({ fcntl: { args: [int, int, long], returns: int } })
const ownerCalls = libc({ fcntl: { args: [int, int, pointer], returns: int } })

const F_GETFL = 3
const F_SETFL = 4
const F_SETSIG = 10
const F_SETOWN_EX = 15
const F_OWNER_TID = 0
const O_ASYNC = 0o20000
const SIGURG = 23

/** Calls `arrived` once for each time that it was armed, soon after something came to read. */
export class Sigio {
  readonly #fd: number
  readonly #arrived: () => void
  readonly #take = () => {
    if (!this.#isArmed) return
    this.disarm()
    this.#arrived()
  }
  #isArmed = false

  constructor(fd: number, arrived: () => void) {
    this.#fd = fd
    this.#arrived = arrived
    process.on('SIGURG', this.#take)
    // Another process of ours may have left the descriptor armed.
    this.#setAsync(false)
  }

  /** What came before this call is not told. */
  arm(): void {
    this.#isArmed = true
    // The first thread, whose id is the process's. Signals to the process may interrupt all of its threads.
    const owner = Int32Array.of(F_OWNER_TID, process.pid)
    this.#check(ownerCalls().fcntl(this.#fd, F_SETOWN_EX, owner))
    this.#fcntl(F_SETSIG, SIGURG)
    this.#setAsync(true)
  }

  disarm(): void {
    if (!this.#isArmed) return
    this.#isArmed = false
    this.#setAsync(false)
  }

  close(): void {
    this.disarm()
    process.off('SIGURG', this.#take)
  }

  #setAsync(isOn: boolean): void {
    const flags = this.#fcntl(F_GETFL, 0)
    this.#fcntl(F_SETFL, isOn ? flags | O_ASYNC : flags & ~O_ASYNC)
  }

  #fcntl(command: number, argument: number): number {
    return this.#check(calls().fcntl(this.#fd, command, argument))
  }

  #check(result: number): number {
    return checked(result, 'fcntl', `have a signal sent for descriptor ${this.#fd}`)
  }
}
