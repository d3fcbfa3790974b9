/** A worker, as the process that asks it sees it. */

import { type ChildProcess, spawn } from 'node:child_process'
import type { Settings } from '../service/default-settings.ts'
import { ENVIRONMENT, ownExecutable } from '../service/executable.ts'
import { commandLine } from '../service/settings.ts'
import { passOn } from '../sys/log.ts'
import { Lines } from './lines.ts'
import { MOST_LINE_BYTES, READY_LINE } from './messages.ts'

export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #lines = new Lines(MOST_LINE_BYTES)
  /** Lines that nobody has asked for yet, and who waits for one. */
  readonly #said: string[] = []
  readonly #awaited: ((line: string) => void)[] = []
  /** Resolves when the worker can be asked; rejects when it ends before. */
  ready: Promise<void>
  hasEnded = false
  isAbandoned = false
  /** Resolves with a text that says how the worker ended. */
  readonly ended: Promise<string>

  constructor(settings: Settings) {
    const { path, argv0 } = ownExecutable()
    // A worker that hangs must not hold the caller's stdout or stderr: whoever reads them would wait for it.
    this.#child = spawn(path, commandLine(settings, 'worker'), {
      argv0,
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.ended = new Promise(resolve => {
      this.#child.on('error', error => resolve(`it cannot be started: ${error.message}`))
      this.#child.on('exit', (code, signal) =>
        resolve(`it ended with ${signal ?? `status ${code}`}`),
      )
    })
    this.ended.then(() => {
      this.hasEnded = true
    })
    this.#child.stdout?.on('data', (piece: Buffer) => this.#take(piece))
    this.#child.stderr?.on('data', (piece: Buffer) => passOn(piece.toString()))
    this.#child.stdin?.on('error', () => {})
    this.ready = this.#untilReady()
  }

  /** Returns the line that the worker answers with. One question at a time: `ready` is for the next one then. */
  ask(line: string): Promise<string> {
    const answer = this.#orEnd(this.#nextLine())
    this.ready = this.#untilReady()
    this.#child.stdin?.write(`${line}\n`)
    return answer
  }

  #untilReady(): Promise<void> {
    const ready = this.#orEnd(this.#nextLine()).then(line => {
      if (line !== READY_LINE) throw new Error(`it said "${line.slice(0, 80)}"`)
    })
    ready.catch(() => {})
    return ready
  }

  /** Lets a worker without a question end. */
  release(): void {
    this.#child.stdin?.end()
    this.#child.unref()
  }

  /** Goes on without it: a process that hangs in the kernel does not even end when it is killed. */
  abandon(): void {
    this.isAbandoned = true
    this.#child.kill('SIGKILL')
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) {
      stream?.destroy()
    }
    this.#child.unref()
  }

  #nextLine(): Promise<string> {
    const said = this.#said.shift()
    if (said !== undefined) return Promise.resolve(said)
    return new Promise(resolve => {
      this.#awaited.push(resolve)
    })
  }

  #orEnd(line: Promise<string>): Promise<string> {
    const end = this.ended.then((how): never => {
      throw new Error(how)
    })
    end.catch(() => {})
    return Promise.race([line, end])
  }

  #take(piece: Buffer): void {
    try {
      for (const line of this.#lines.add(piece)) this.#hear(line)
    } catch {
      this.abandon()
    }
  }

  #hear(line: string): void {
    const awaited = this.#awaited.shift()
    if (awaited === undefined) this.#said.push(line)
    else awaited(line)
  }
}
