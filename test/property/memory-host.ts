/** A host whose files are in memory, so that thousands of machines can be tried, and a clock that suspends. */

import type { Beginning } from '../../src/host/beginning.ts'
import { Host } from '../../src/host/host.ts'
import { TestClock } from '../machines/machine.ts'

/** A file that is there and gives an error when it is read, as one of a device that broke. */
export const EIO: unique symbol = Symbol('EIO')

/** By path; `undefined` where there is no such file. */
export type Files = Readonly<Record<string, string | typeof EIO | undefined>>

class SuspendClock extends TestClock {
  suspendedUsec = 0

  override boottimeUsec(): number {
    return this.usec + this.suspendedUsec
  }
}

export class MemoryHost extends Host {
  override readonly clock: SuspendClock
  /** The last one that names a file counts. None is ever changed, so that hosts can share them. */
  readonly #layers: Files[]
  readonly #first: number

  constructor(...layers: Files[]) {
    const clock = new SuspendClock()
    // No such directory: what asks the real system about a path finds nothing.
    super('/nonexistent-procveil/', clock)
    this.clock = clock
    this.#layers = layers
    this.#first = layers.length
  }

  set(files: Files): void {
    this.#layers.push(files)
  }

  /** Back to the files at first. */
  reset(): void {
    this.#layers.length = this.#first
  }

  override read(path: string): string {
    const text = this.#find(path)
    if (typeof text === 'string') return text
    const code = text === undefined ? 'ENOENT' : 'EIO'
    throw Object.assign(new Error(`${code}: cannot open '${path}'`), { code })
  }

  override readBeginning(path: string): Beginning {
    return { text: this.read(path), isWhole: true }
  }

  override tryRead(path: string): string | undefined {
    const text = this.#find(path)
    return typeof text === 'string' ? text : undefined
  }

  override has(path: string): boolean {
    if (this.#find(path) !== undefined) return true
    const prefix = `${path}/`
    for (const layer of this.#layers) {
      for (const file in layer) {
        if (file.startsWith(prefix) && this.#find(file) !== undefined) return true
      }
    }
    return false
  }

  override list(path: string): string[] {
    return this.#entries(path, /^[^/]+/)
  }

  override directories(path: string): string[] {
    return this.#entries(path, /^[^/]+(?=\/)/)
  }

  override tryReadLink(): undefined {
    return undefined
  }

  #entries(path: string, pattern: RegExp): string[] {
    const names = new Set<string>()
    for (const file of this.#layers.flatMap(Object.keys)) {
      if (!file.startsWith(`${path}/`) || this.#find(file) === undefined) continue
      const name = pattern.exec(file.slice(path.length + 1))?.[0]
      if (name !== undefined && name !== '..') names.add(name)
    }
    return [...names]
  }

  #find(path: string): Files[string] {
    for (let i = this.#layers.length - 1; i >= 0; i--) {
      const layer = this.#layers[i]
      if (layer !== undefined && path in layer) return layer[path]
    }
    return undefined
  }
}
