/**
 * What a worker is asked and what it answers, a line of JSON each. A worker does what may hang: it enters or resolves
 * what a container or a user of the host controls. Whoever asks waits for as long as the job is worth, and then goes on
 * without it.
 */

/** The jobs, by the names that stand in messages. What they take and give is in command/jobs/. */
export type JobName =
  | 'hook'
  | 'attach'
  | 'detach'
  | 'find'
  | 'meet'
  | 'devices'
  | 'show-devices'
  | 'ask'

export interface Question {
  job: JobName
  input: unknown
  /** The time of day in milliseconds from which nobody waits for the answer. */
  untilMs?: number | undefined
  /** Those of the process that asks, where it is not the worker's own: see own-namespaces.ts. */
  namespaces?: readonly string[] | undefined
}

export type Answer = { result: unknown } | { error: string; code?: string | undefined }

/** A worker says this at first, and after each answer, when it waits for a question. */
export const READY_LINE = 'ready'

/** Nothing that is asked or answered is longer: a hook's state has 1 MiB at most. */
export const MOST_LINE_BYTES = 8 * 2 ** 20

/** The socket at which a keeper takes questions for its workers. */
export const socketOf = (runDirectory: string) => `${runDirectory}/jobs.sock`

/** Throws a SyntaxError for anything but a question about one of `jobs`. */
export function parseQuestion(line: string, jobs: readonly JobName[]): Question {
  const parsed: unknown = JSON.parse(line)
  if (typeof parsed === 'object' && parsed !== null && 'job' in parsed && 'input' in parsed) {
    const job = jobs.find(name => name === parsed.job)
    const untilMs = 'untilMs' in parsed ? Number(parsed.untilMs) : undefined
    const namespaces = 'namespaces' in parsed ? stringsOf(parsed.namespaces) : undefined
    if (job !== undefined) return { job, input: parsed.input, untilMs, namespaces }
  }
  throw new SyntaxError(`Cannot parse a question to a worker: it must be about ${jobs.join(', ')}`)
}

const stringsOf = (value: unknown) => (Array.isArray(value) ? value.map(String) : undefined)

/** No answer came in time. */
export const LATE = 'ETIMEDOUT'

/** The worker ended without an answer, or there was none to be had. */
export const NO_WORKER = 'ECHILD'

export const tooOld = (job: JobName) =>
  new JobError(`Cannot do ${job}: nobody waits for it any more`, NO_WORKER)

/** Whether it was the worker that failed, and not what it was asked to do. */
export const isWorkerFailure = (error: unknown) =>
  error instanceof JobError && (error.code === LATE || error.code === NO_WORKER)

/** An error of a worker, with the code that the system gave it. */
export class JobError extends Error {
  readonly code: string | undefined

  constructor(message: string, code?: string | undefined) {
    super(message)
    this.code = code
  }
}
