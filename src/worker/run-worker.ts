/** The worker's side: it answers one question after the other until nobody asks any more. */

import { readSync, writeSync } from 'node:fs'
import { errorCode } from '../sys/error.ts'
import { describe } from '../sys/log.ts'
import { waitReadable } from '../sys/poll.ts'
import { Answered } from './answered.ts'
import { Lines } from './lines.ts'
import {
  type Answer,
  type JobName,
  MOST_LINE_BYTES,
  parseQuestion,
  READY_LINE,
  tooOld,
} from './messages.ts'

const STDIN = 0
const STDOUT = 1

export type Handlers = Readonly<Record<JobName, (input: never) => unknown>>

/** Returns when stdin ends, as it does when the process that asks has ended. */
export function runWorker(handlers: Handlers): void {
  const lines = new Lines(MOST_LINE_BYTES)
  const chunk = Buffer.allocUnsafe(64 * 1024)
  say(READY_LINE)
  for (;;) {
    const size = readSome(chunk)
    if (size === 0) return
    for (const line of lines.add(chunk.subarray(0, size))) work(handlers, line)
  }
}

/** Says the answer, and that it waits for the next question once it does. */
function work(handlers: Handlers, line: string): void {
  try {
    const { job, input, untilMs } = parseQuestion(line, Object.keys(handlers) as JobName[])
    // After a long stop the container may be gone, and its pid another's.
    if (untilMs !== undefined && !(Date.now() < untilMs)) throw tooOld(job)
    const given = handlers[job](input as never)
    if (given instanceof Answered) {
      sayAnswer({ result: given.result })
      given.afterwards()
    } else sayAnswer({ result: given ?? null })
  } catch (error) {
    sayAnswer({ error: describe(error), code: errorCode(error) })
  }
  say(READY_LINE)
}

const sayAnswer = (answer: Answer) => say(JSON.stringify(answer))

function readSome(chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(STDIN, chunk)
    } catch (error) {
      if (errorCode(error) !== 'EAGAIN') return 0
      waitReadable(STDIN, -1)
    }
  }
}

/** An answer may be longer than the pipe, and nobody may listen any more. */
function say(line: string): void {
  let bytes = Buffer.from(`${line}\n`)
  try {
    while (bytes.length > 0) bytes = bytes.subarray(writeSync(STDOUT, bytes))
  } catch {}
}
