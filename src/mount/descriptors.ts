/** Descriptors that are closed together: `using opened = new Descriptors()`. */

import { closeSync } from 'node:fs'

export class Descriptors implements Disposable {
  readonly #open: number[] = []

  add(fd: number): number {
    this.#open.push(fd)
    return fd
  }

  [Symbol.dispose](): void {
    for (const fd of this.#open) closeSync(fd)
  }
}
