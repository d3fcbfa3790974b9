/**
 * Where messages go: stderr, and the file of `--log`. The file is opened once, so that a process that entered a
 * container's mount namespace still writes to the host's. Whatever a message is made of, it is one line that steers no
 * terminal: only this file writes messages.
 */

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { remedyFor, shortageRemedy } from '../host/remedy.ts'
import { errorCode } from './error.ts'
import { printable } from './printable.ts'

export type Level = 'info' | 'warning' | 'error'

/** The files of which stderr of this process has been told that they cannot be written. */
const LOST = new Set<string>()

export class Log {
  readonly #name: string | undefined
  readonly #fd: number | undefined
  readonly #who: string
  readonly #complain: (error: unknown) => void
  readonly #lost: Set<string>

  /**
   * `who`, the command's name, stands in every line of the file. `complainOf` gets what is to be seen on stderr. It is told
   * once when the file cannot be written: for want of a log nothing else may fail.
   */
  constructor(
    who: string,
    file: string | undefined,
    complainOf: (error: unknown) => void = complain,
  ) {
    this.#complain = complainOf
    this.#lost = complainOf === complain ? LOST : new Set()
    this.#who = `${who}[${process.pid}]`
    this.#name = file
    if (file !== undefined) this.#fd = this.#open(file)
  }

  #open(file: string): number | undefined {
    try {
      mkdirSync(dirname(file), { recursive: true })
      return openSync(file, 'a', 0o640)
    } catch (error) {
      this.#lose(file, error)
      return undefined
    }
  }

  #lose(file: string, error: unknown): void {
    if (this.#lost.has(file)) return
    this.#lost.add(file)
    this.#complain(unwritable(file, error))
  }

  /** The file that is written; `undefined` where there is none, or it cannot be opened. */
  get file(): string | undefined {
    return this.#fd === undefined ? undefined : this.#name
  }

  info(message: string): void {
    this.#file('info', message)
  }

  warning(message: string): void {
    this.#file('warning', message)
    this.#complain(message)
  }

  error(error: unknown): void {
    this.#file('error', describe(error))
    this.#complain(error)
  }

  /** To be called where a process has many logs. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
  }

  #file(level: Level, message: string): void {
    if (this.#fd === undefined || this.#name === undefined) return
    const line = `${new Date().toISOString()} ${this.#who} ${level}: ${bounded(message)}\n`
    try {
      writeSync(this.#fd, line)
      this.#lost.delete(this.#name)
    } catch (error) {
      this.#lose(this.#name, error)
    }
  }
}

/** What is said of a log that cannot be written. */
export function unwritable(file: string, cause: unknown): Error {
  const remedy = remedyFor(errorCode(cause), file) ?? 'have it be a file that root can write'
  const why = errorCode(cause) ?? String(cause)
  return new Error(`Cannot write the log ${file}, and says all on stderr: ${why}; ${remedy}`)
}

/** Writes a message or an error to stderr, an AggregateError as a line for each of its errors. */
export function complain(error: unknown): void {
  write(2, complaintOf(error))
}

/** Writes to stderr what another process of ours has said, whose messages are made in this file too. */
export function passOn(text: string): void {
  if (text !== '') write(2, text)
}

/** What `complain` writes. */
export function complaintOf(error: unknown): string {
  const errors: readonly unknown[] = error instanceof AggregateError ? error.errors : [error]
  return errors.map(each => `procveil: ${describe(each)}\n`).join('')
}

/** No message is longer, whatever is quoted in it. */
const MOST_CHARACTERS = 8192

function bounded(message: string): string {
  const cut = message.length > MOST_CHARACTERS ? `${message.slice(0, MOST_CHARACTERS)}…` : message
  return printable(cut)
}

/** A closed stderr must not end the program. */
function write(fd: number, line: string): void {
  try {
    writeSync(fd, line)
  } catch {}
}

/** The message of an error and those of its causes, in one line, and what to do where the system has no room. */
export function describe(error: unknown): string {
  const messages: string[] = []
  let remedy: string | undefined
  for (let cause = error; cause !== undefined; cause = (cause as Error).cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    if (!messages.some(earlier => earlier.includes(message))) messages.push(message)
    if (!(cause instanceof Error)) break
    remedy ??= remedyOf(cause)
  }
  const text = messages.join(': ')
  return bounded(remedy === undefined || text.includes(remedy) ? text : `${text}; ${remedy}`)
}

/** Room is wanted only where a file is named: mount(2), for one, says ENOSPC of too many mounts. */
function remedyOf(error: Error): string | undefined {
  const code = errorCode(error)
  const { path } = error as Error & { path?: unknown }
  if (typeof path === 'string') return shortageRemedy(code, dirname(path))
  return code === 'EMFILE' || code === 'ENFILE' ? shortageRemedy(code, '') : undefined
}
