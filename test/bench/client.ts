/** Drives reader.c inside the container. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { sort } from './statistics.ts'

/** `open`: open, read to the end, close. `keep`: seek to the beginning and read. */
export type Way = 'open' | 'keep'

interface Pass {
  elapsedUsec: number
  /** Sorted. */
  latenciesUsec: Float64Array
}

export class Client {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  /** `command` runs the program reader in the container. */
  constructor([program = '', ...args]: readonly string[]) {
    this.#process = spawn(program, args)
    this.#process.stderr.pipe(process.stderr)
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  async read(way: Way, readers: number, milliseconds: number, path: string): Promise<Pass> {
    this.#process.stdin.write(`${way} ${readers} ${milliseconds} ${path}\n`)
    const [elapsed = 0] = await this.#numbers(path)
    const latencies = await this.#numbers(path)
    if (latencies.length === 0) throw new Error(`Cannot measure ${path}: nothing was read in time`)
    return {
      elapsedUsec: elapsed / 1000,
      latenciesUsec: sort(latencies.map(nanoseconds => nanoseconds / 1000)),
    }
  }

  async #numbers(path: string): Promise<number[]> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`Cannot measure ${path}: the reader has ended`)
    return String(value).trim().split(' ').filter(Boolean).map(Number)
  }

  async end(): Promise<void> {
    const ended = new Promise(resolve => this.#process.on('exit', resolve))
    this.#process.stdin.end()
    await ended
  }
}
