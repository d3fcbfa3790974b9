/**
 * Workers side by side, for what may hang. A worker that does not answer in time is killed and abandoned, and the next
 * question goes to another one.
 */

import type { Settings } from '../service/default-settings.ts'
import {
  type Answer,
  JobError,
  type JobName,
  LATE,
  NO_WORKER,
  type Question,
  tooOld,
} from './messages.ts'
import { WorkerProcess } from './worker-process.ts'

/** A worker that has worked for so long no longer counts as one that will soon be free. */
const SLOW_MS = 500

/** Loading a worker takes 30 ms, and seconds on a machine that boots or is short of CPU. */
const START_MS = 10_000

/** A worker that was told to end does so in some milliseconds. */
const END_MS = 1000

interface Waiting {
  job: JobName
  line: string
  timeoutMs: number
  /** Whether whoever asked still waits. */
  isWanted: () => boolean
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}

/** Whoever does not wait for as long as it takes. */
interface Asker {
  isWanted?: () => boolean
  untilMs?: number | undefined
}

interface Setup {
  /** So many questions are worked on at a time. */
  most: number
  /** So many may hang at a time, then questions are refused: each takes some 10 MiB of memory. */
  mostHung: number
  /** A worker that nobody has asked for so long ends; without, it ends with the process that asks. */
  idleMs?: number
}

export class Workers {
  readonly #settings: Settings
  readonly #setup: Setup
  readonly #idle: WorkerProcess[] = []
  readonly #waiting: Waiting[] = []
  /** Those that work and may soon be free. */
  readonly #brisk = new Set<WorkerProcess>()
  /** Those that are slow or were abandoned, until they have ended or answered. */
  readonly #hung = new Set<WorkerProcess>()
  readonly #ends = new Set<Promise<string>>()
  #idleTimer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(settings: Settings, setup: Setup) {
    this.#settings = settings
    this.#setup = setup
  }

  /**
   * Resolves with what the job gives. Rejects with a JobError that the job has failed with, or with code ETIMEDOUT
   * when a worker that was there has not answered within `timeoutMs`.
   */
  ask<T>(
    job: JobName,
    input: unknown,
    timeoutMs: number,
    { isWanted = () => true, untilMs }: Asker = {},
  ): Promise<T> {
    const question: Question = { job, input, untilMs }
    const line = JSON.stringify(question)
    return new Promise<T>((resolve, reject) => {
      const asked = resolve as (result: unknown) => void
      this.#waiting.push({ job, line, timeoutMs, isWanted, resolve: asked, reject })
      this.#dispatch()
    })
  }

  /** How many are slow, or were abandoned and have not ended yet. */
  get hung(): number {
    return this.#hung.size
  }

  /** Ends the workers. Those that work have a second, and are killed then: they may hang. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idleTimer)
    for (const { reject, job } of this.#waiting.splice(0)) {
      reject(new JobError(`Cannot do ${job}: the service ends`, NO_WORKER))
    }
    this.#releaseIdle()
    await inTime(Promise.all(this.#ends), END_MS).catch(() => {})
    for (const worker of [...this.#brisk, ...this.#hung]) worker.abandon()
  }

  #dispatch(): void {
    while (this.#waiting.length > 0 && this.#brisk.size < this.#setup.most) {
      const isFull = this.#idle.length === 0 && this.#hung.size >= this.#setup.mostHung
      // One that is only slow will be free, or abandoned.
      if (isFull && [...this.#hung].some(worker => !worker.isAbandoned)) return
      const waiting = this.#waiting.shift() as Waiting
      if (!waiting.isWanted()) {
        waiting.reject(tooOld(waiting.job))
      } else if (isFull) {
        waiting.reject(new JobError(`${this.#hung.size} workers hang already`, NO_WORKER))
      } else {
        const worker = this.#idle.pop() ?? this.#tryStart(waiting)
        if (worker !== undefined) void this.#work(worker, waiting)
      }
    }
  }

  async #work(worker: WorkerProcess, waiting: Waiting): Promise<void> {
    const { line, timeoutMs } = waiting
    this.#brisk.add(worker)
    let slow: NodeJS.Timeout | undefined
    try {
      await inTime(worker.ready, START_MS).catch(notStarted)
      slow = setTimeout(() => this.#passOver(worker), SLOW_MS)
      settle(waiting, await inTime(worker.ask(line), timeoutMs))
      await inTime(worker.ready, timeoutMs)
      this.#free(worker)
    } catch (cause) {
      worker.abandon()
      this.#passOver(worker)
      const code = cause instanceof JobError ? cause.code : NO_WORKER
      const why = cause instanceof Error ? cause.message : String(cause)
      waiting.reject(new JobError(why, code))
    } finally {
      clearTimeout(slow)
      this.#dispatch()
    }
  }

  /** Refuses the question where no process can be started. */
  #tryStart({ reject }: Waiting): WorkerProcess | undefined {
    try {
      return this.#start()
    } catch (cause) {
      reject(new JobError(`it cannot be started: ${(cause as Error).message}`, NO_WORKER))
      return undefined
    }
  }

  #start(): WorkerProcess {
    const worker = new WorkerProcess(this.#settings)
    this.#ends.add(worker.ended)
    worker.ended.then(() => {
      this.#ends.delete(worker.ended)
      this.#hung.delete(worker)
      const at = this.#idle.indexOf(worker)
      if (at >= 0) this.#idle.splice(at, 1)
    })
    return worker
  }

  /** Its place among those that work goes to another one. */
  #passOver(worker: WorkerProcess): void {
    if (!this.#brisk.delete(worker)) return
    if (!worker.hasEnded) this.#hung.add(worker)
    this.#dispatch()
  }

  #free(worker: WorkerProcess): void {
    this.#brisk.delete(worker)
    this.#hung.delete(worker)
    if (this.#isClosed || this.#idle.length >= this.#setup.most) {
      worker.release()
      return
    }
    this.#idle.push(worker)
    const { idleMs } = this.#setup
    if (idleMs === undefined) return
    this.#idleTimer ??= setTimeout(() => this.#releaseIdle(), idleMs)
    this.#idleTimer.refresh()
  }

  #releaseIdle(): void {
    this.#idleTimer = undefined
    for (const worker of this.#idle.splice(0)) worker.release()
  }
}

function notStarted(cause: Error): never {
  throw new JobError(`it cannot be started: ${cause.message}`, NO_WORKER)
}

function settle({ resolve, reject }: Waiting, text: string): void {
  try {
    const answer = JSON.parse(text) as Answer
    if ('error' in answer) reject(new JobError(answer.error, answer.code))
    else resolve(answer.result)
  } catch (error) {
    reject(error as Error)
  }
}

async function inTime<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new JobError(`no answer came within ${timeoutMs / 1000} s`, LATE)
    timer = setTimeout(() => reject(error), timeoutMs)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
