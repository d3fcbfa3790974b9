/** Drives reader.c inside the container. */

import { LineProgram } from './line-program.ts'
import { sort } from './statistics.ts'

/** `open`: open, read to the end, close. `keep`: seek to the beginning and read. */
export type Way = 'open' | 'keep'

interface Pass {
  elapsedUsec: number
  /** Sorted. */
  latenciesUsec: Float64Array
}

export class Client {
  readonly #program: LineProgram

  /** `command` runs the program reader in the container. */
  constructor(command: readonly string[]) {
    this.#program = new LineProgram(command)
  }

  /** A `%` in the path stands for the numbers below `files`, in turn. */
  async read(
    way: Way,
    readers: number,
    milliseconds: number,
    path: string,
    files = 1,
  ): Promise<Pass> {
    const action = `measure ${path}`
    this.#program.send(`${way} ${readers} ${milliseconds} ${files} ${path}`)
    const [elapsed = 0] = await this.#program.numbers(action)
    const latencies = await this.#program.numbers(action)
    if (latencies.length === 0) throw new Error(`Cannot ${action}: nothing was read in time`)
    return {
      elapsedUsec: elapsed / 1000,
      latenciesUsec: sort(latencies.map(nanoseconds => nanoseconds / 1000)),
    }
  }

  end(): Promise<void> {
    return this.#program.end()
  }
}
