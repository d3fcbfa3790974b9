/** Descriptors that are closed together: `using opened = new Descriptors()`. */

import { closeSync } from 'node:fs'

export class Descriptors implements Disposable {
  readonly #open: number[] = []

  add(fd: number): number {
    this.#open.push(fd)
    return fd
  }

  /** Closes one of them now. */
  close(fd: number): void {
    const at = this.#open.indexOf(fd)
    if (at < 0) return
    this.#open.splice(at, 1)
    closeSync(fd)
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) closeSync(fd)
  }
}
