/**
 * Where messages go: stderr, and the file of `--log`. The file is opened once, so that a process that entered a
 * container's mount namespace still writes to the host's. Whatever a message is made of, it is one line that steers no
 * terminal: only this file writes messages.
 */

import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { printable } from './printable.ts'

export type Level = 'info' | 'warning' | 'error'

export class Log {
  readonly #fd: number | undefined
  readonly #who: string
  readonly #complain: (error: unknown) => void

  /**
   * `who`, the command's name, stands in every line of the file. `complainOf` gets what is to be seen on stderr. Throws
   * when the file cannot be opened.
   */
  constructor(
    who: string,
    file: string | undefined,
    complainOf: (error: unknown) => void = complain,
  ) {
    this.#complain = complainOf
    this.#who = `${who}[${process.pid}]`
    if (file === undefined) return
    mkdirSync(dirname(file), { recursive: true })
    this.#fd = openSync(file, 'a', 0o640)
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
    if (this.#fd === undefined) return
    write(this.#fd, `${new Date().toISOString()} ${this.#who} ${level}: ${bounded(message)}\n`)
  }
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

/** A full disk or a closed stderr must not end the program. */
function write(fd: number, line: string): void {
  try {
    writeSync(fd, line)
  } catch {}
}

/** The message of an error and those of its causes, in one line. */
export function describe(error: unknown): string {
  const messages: string[] = []
  for (let cause = error; cause !== undefined; cause = (cause as Error).cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    if (!messages.some(earlier => earlier.includes(message))) messages.push(message)
    if (!(cause instanceof Error)) break
  }
  return bounded(messages.join(': '))
}
