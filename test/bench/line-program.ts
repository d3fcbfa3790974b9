/** A program of the benchmark that answers each line on its stdin by lines of numbers. */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export class LineProgram {
  readonly #process: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>
  readonly #ended: Promise<unknown>

  constructor([program = '', ...args]: readonly string[]) {
    this.#process = spawn(program, args)
    this.#process.stderr.pipe(process.stderr)
    // A program that has ended is noticed when its answer is waited for.
    this.#process.stdin.on('error', () => {})
    this.#ended = new Promise(resolve => this.#process.on('exit', resolve))
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  /** Sends a command. `numbers` then returns its answer, line by line. */
  send(command: string): void {
    this.#process.stdin.write(`${command}\n`)
  }

  /** `action` is for the error when the program has ended. */
  async numbers(action: string): Promise<number[]> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`Cannot ${action}: the program has ended`)
    return String(value).trim().split(' ').filter(Boolean).map(Number)
  }

  async end(): Promise<void> {
    this.#process.stdin.end()
    await this.#ended
  }
}
